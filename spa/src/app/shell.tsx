import { ActionIcon, Button, Container, Group, useMantineColorScheme } from "@mantine/core";
import { Link, Outlet, useMatches, useRouter } from "@tanstack/react-router";
import { Suspense, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSignedIn } from "../api/session";
import { LANGUAGES, type Language, remember, speak } from "../i18n";
import { Moon, Sun } from "../parts/icons";
import { Loading } from "../parts/loading";
import { useOnline } from "../parts/use-online";
import styles from "./shell.module.css";

const PAGES = [
  { to: "/", name: "nav.home" },
  { to: "/runs", name: "nav.runs" },
  { to: "/needs-you", name: "nav.needs" },
  { to: "/watching", name: "nav.watching" },
  { to: "/settings", name: "nav.settings" },
] as const;

/** What a page is called in the window's title; any other is not there. */
const TITLES = {
  "/": "nav.home",
  "/connect": "page.connect",
  "/runs": "nav.runs",
  "/runs/$id": "page.run",
  "/needs-you": "nav.needs",
  "/watching": "page.watching",
  "/settings": "nav.settings",
} as const;

/** What every page stands in: the bar above, the word about a missing network, the place for the page. */
export function Shell() {
  const { t } = useTranslation();
  const online = useOnline();
  const signedIn = useSignedIn();
  const main = useFocusOnArrival();
  useTitle();
  return (
    <>
      <a className={styles.skip} href="#main">
        {t("nav.skip")}
      </a>
      <header className={styles.header}>
        <Container size="lg" className={styles.bar}>
          <Link to="/" className={styles.brand}>
            <img src="/icon.svg" alt="" width="28" height="28" />
            Watchferry
          </Link>
          {signedIn ? (
            <nav className={styles.nav} aria-label={t("nav.label")}>
              {PAGES.map(({ to, name }) => (
                <Link key={to} to={to} className={styles.link} activeOptions={{ exact: to === "/" }}>
                  {t(name)}
                </Link>
              ))}
            </nav>
          ) : (
            <span className={styles.nav} />
          )}
          <Group gap="xs" wrap="nowrap">
            <LanguageButton />
            <SchemeButton />
          </Group>
        </Container>
        {!online && (
          <div className={styles.offline} role="status">
            {t("offline")}
          </div>
        )}
      </header>
      <Container size="lg" component="main" id="main" tabIndex={-1} ref={main} className={styles.main}>
        <Suspense fallback={<Loading what={t("loading.page")} />}>
          <Outlet />
        </Suspense>
      </Container>
    </>
  );
}

/** “Runs · Watchferry”, in the language that is spoken. */
function useTitle() {
  const { t } = useTranslation();
  const last = useMatches({ select: (matches) => matches.at(-1)?.routeId });
  const title = t(last && last in TITLES ? TITLES[last as keyof typeof TITLES] : "noPage.title");
  useEffect(() => {
    document.title = `${title} · Watchferry`;
  }, [title]);
}

/** Another page is there: who goes by keyboard or ear is at its beginning. */
function useFocusOnArrival() {
  const main = useRef<HTMLDivElement>(null);
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe("onResolved", ({ fromLocation, pathChanged }) => {
        // The browser announces the first page; a page that put the focus somewhere itself knows better.
        if (!fromLocation || !pathChanged || isWithin(main.current)) return;
        main.current?.focus({ preventScroll: true });
      }),
    [router],
  );
  return main;
}

/** Whether the focus is on something inside, which is still there. */
const isWithin = (element: HTMLElement | null): boolean =>
  element !== document.activeElement && element?.contains(document.activeElement) === true;

/** There are two, so the other one is a click away. */
function LanguageButton() {
  const { i18n } = useTranslation();
  const other: Language = i18n.language === "ru" ? "en" : "ru";
  return (
    <Button
      variant="subtle"
      color="gray"
      size="compact-md"
      lang={other}
      onClick={() => {
        remember(other);
        void speak(other);
      }}
    >
      {LANGUAGES[other]}
    </Button>
  );
}

function SchemeButton() {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const dark = colorScheme === "dark" || (colorScheme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={dark ? t("nav.light") : t("nav.dark")}
      onClick={() => setColorScheme(dark ? "light" : "dark")}
    >
      {dark ? <Sun /> : <Moon />}
    </ActionIcon>
  );
}
