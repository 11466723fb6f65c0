import { Group, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { begunQuery } from "../../api/queries";
import { BegunGrid } from "../../parts/begun-grid";
import { TextLink } from "../../parts/links";

const SHOWN = 6;

/** The first few of what was begun; nothing when there is nothing, or Kinopub is away. */
export function Begun() {
  const { t } = useTranslation("home");
  const films = useQuery(begunQuery("movies"));
  const series = useQuery(begunQuery("serials"));
  const titles = [...(series.data ?? []), ...(films.data ?? [])].slice(0, SHOWN);
  if (titles.length === 0) return null;
  return (
    <Stack gap="sm" component="section" aria-labelledby="begun">
      <Group justify="space-between">
        <Title order={2} size="h4" id="begun">
          {t("begun.title")}
        </Title>
        <TextLink to="/watching">{t("begun.all")}</TextLink>
      </Group>
      <BegunGrid titles={titles} strip />
    </Stack>
  );
}
