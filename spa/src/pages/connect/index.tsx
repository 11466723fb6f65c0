import { Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { sessionQuery } from "../../api/queries";
import { useSignedIn, wantedPage } from "../../api/session";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { DeviceFlow } from "./device-flow";
import { Redirected, SignInAtTrakt } from "./redirected";
import { Steps } from "./steps";
import { Welcome } from "./welcome";

/** Most of it is the page of a run, which nobody needs before. */
const FirstLook = lazy(() => import("./first-look").then(({ FirstLook }) => ({ default: FirstLook })));

/** Strangers have no use for it. */
const Onward = lazy(() => import("./onward").then(({ Onward }) => ({ default: Onward })));

/** The first visit: two accounts, then what would be carried across. Later: an account that has to be connected anew. */
export function Connect() {
  const { t } = useTranslation("connect");
  const navigate = useNavigate();
  const search = useSearch({ from: "/connect" });
  const [returned, setReturned] = useState(search.state === undefined ? null : search);
  const [wanted] = useState(wantedPage);
  const signedIn = useSignedIn();
  const session = useQuery({ ...sessionQuery(), enabled: signedIn });
  const connected = (name: "trakt" | "kinopub") =>
    signedIn && session.data?.[name].connected === true && session.data[name].status !== "reauth_required";
  const step = !connected("trakt") ? 0 : connected("kinopub") ? 2 : 1;

  useEffect(() => {
    // The code leaves the address bar and the history at once.
    if (search.state !== undefined) void navigate({ to: "/connect", replace: true });
  }, [search, navigate]);

  if (returned) return <Redirected {...returned} onEnd={() => setReturned(null)} />;
  if (signedIn && session.isPending) return <Loading what={t("asking")} />;
  if (signedIn && session.isError && !session.data) {
    return <Trouble error={session.error} onRetry={() => void session.refetch()} />;
  }
  return (
    <Stack gap="xl" maw={step === 2 ? undefined : "44rem"} mx="auto">
      {step === 0 && !signedIn ? <Welcome /> : <Title order={1}>{t("title")}</Title>}
      {!signedIn && wanted && wanted !== "/" && (
        <Text ta="center" role="status">
          {t("signInFirst")}
        </Text>
      )}
      <Steps active={step} />
      {step === 0 && (
        <DeviceFlow key="trakt" provider="trakt">
          <SignInAtTrakt />
        </DeviceFlow>
      )}
      {step === 1 && <DeviceFlow key="kinopub" provider="kinopub" />}
      {step === 2 && (
        <Suspense fallback={<Loading what={t("asking")} />}>
          <FirstLook />
        </Suspense>
      )}
      {step === 1 && (
        <Group>
          <Text c="dimmed" size="sm">
            {t("as", { name: session.data?.user.name || session.data?.user.slug })}
          </Text>
        </Group>
      )}
      {signedIn && (
        <Suspense>
          <Onward complete={step === 2} />
        </Suspense>
      )}
    </Stack>
  );
}
