import { createRootRoute, createRoute, createRouter, Link, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { comeBackTo, hinted } from "../api/session";
import { Nothing } from "../parts/nothing";
import { Trouble } from "../parts/trouble";
import { queryClient } from "./query-client";
import { Shell } from "./shell";

const root = createRootRoute({
  component: Shell,
  errorComponent: ({ error, reset }) => <Trouble error={error} onRetry={reset} />,
  notFoundComponent: NoPage,
});

function NoPage() {
  const { t } = useTranslation();
  return <Nothing title={t("noPage.title")} hint={t("noPage.hint")} action={<Link to="/">{t("noPage.home")}</Link>} />;
}

const page = { getParentRoute: () => root };

interface Going {
  location: { pathname: string };
  preload: boolean;
}

/** Without a session the API is asked for nothing: signing in comes first. */
function signInFirst({ location, preload }: Going): void {
  if (hinted()) return;
  if (!preload) {
    comeBackTo(location.pathname);
    queryClient.clear(); // the session may have ended in another window
  }
  throw redirect({ to: "/connect", replace: true });
}

const ofUsers = { ...page, beforeLoad: signInFirst };

interface Returned {
  code?: string;
  state?: string;
  error?: string;
}

/** With what Trakt sends people back: a code, or an error. */
function returned(search: Record<string, unknown>): Returned {
  const word = (name: keyof Returned) => (search[name] === undefined ? undefined : String(search[name]));
  return { code: word("code"), state: word("state"), error: word("error") };
}

const home = createRoute({
  ...page,
  path: "/",
  validateSearch: returned,
  beforeLoad: ({ search, location, preload }) => {
    // The address that is registered with Trakt is the site's own.
    if (search.state !== undefined) throw redirect({ to: "/connect", search });
    signInFirst({ location, preload });
  },
  component: lazyRouteComponent(() => import("../pages/home"), "Home"),
});
const connect = createRoute({
  ...page,
  path: "/connect",
  validateSearch: returned,
  component: lazyRouteComponent(() => import("../pages/connect"), "Connect"),
});
const runs = createRoute({
  ...ofUsers,
  path: "/runs",
  component: lazyRouteComponent(() => import("../pages/runs"), "Runs"),
});
const run = createRoute({
  ...ofUsers,
  path: "/runs/$id",
  component: lazyRouteComponent(() => import("../pages/found-run"), "FoundRun"),
});
const needs = createRoute({
  ...ofUsers,
  path: "/needs-you",
  component: lazyRouteComponent(() => import("../pages/needs"), "NeedsYou"),
});
const watching = createRoute({
  ...ofUsers,
  path: "/watching",
  component: lazyRouteComponent(() => import("../pages/watching"), "Watching"),
});
const settings = createRoute({
  ...ofUsers,
  path: "/settings",
  component: lazyRouteComponent(() => import("../pages/settings"), "SettingsPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([home, connect, runs, run, needs, watching, settings]),
  scrollRestoration: true,
  defaultPreload: "intent",
  // Ids look like numbers and must stay text.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const given = Object.entries(search).filter(([, value]) => value !== undefined);
    const text = new URLSearchParams(given as [string, string][]).toString();
    return text && `?${text}`;
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
