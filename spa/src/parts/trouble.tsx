import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import i18next from "i18next";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/client";
import { Warning } from "./icons";

/** What went wrong in plain words, then the technical word and the request's id, then a way on. */
export function Trouble({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation(["common", "problem"]);
  return (
    <Alert color="red" variant="light" icon={<Warning />} title={plainly(error)} role="alert">
      <Stack gap="xs">
        <Text size="sm" c="dimmed" lang="en">
          {technically(error)}
        </Text>
        {onRetry && (
          <Group>
            <Button size="xs" variant="default" onClick={onRetry}>
              {t("again")}
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  );
}

/** What `plainly` says, as soon as the words are there: they come a moment after the page. */
export function Plainly({ error }: { error: unknown }) {
  return (
    <Suspense>
      <Words error={error} />
    </Suspense>
  );
}

function Words({ error }: { error: unknown }) {
  useTranslation("problem");
  return plainly(error);
}

/** For whoever is asked for help: the server's words, its code, the request's id. */
export function technically(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  return [error.detail, error.code, error.requestId].filter(Boolean).join(" · ");
}

/** The sentence for a problem's code; codes without one have one for their kind. */
export function plainly(error: unknown): string {
  const known = error instanceof ApiError ? error : null;
  const kind = known && known.status < 500 ? "refused" : "unforeseen";
  const key = [`problem:${known?.code}`, `problem:${kind}`].find((each) => i18next.exists(each));
  return key ? i18next.t(key as "problem:rate_limited", { seconds: known?.retryAfter ?? 60 }) : i18next.t("refused"); // the words did not come either
}
