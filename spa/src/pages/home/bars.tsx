import "@mantine/charts/styles.css";
import { BarChart } from "@mantine/charts";
import { Paper, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { localeOf } from "../../i18n";
import { monthMarks, monthText, type Week, weekText } from "../../lib/weeks";

const FILMS = "var(--home-films)";
const EPISODES = "var(--home-episodes)";
const STRIPES = "home-stripes";

/** In a file of its own: the library of charts is larger than all of the page. Films are full, episodes striped, so
 * that nobody has to tell the colours apart. */
export default function Bars({ weeks }: { weeks: Week[] }) {
  const locale = localeOf(useTranslation().i18n.language);
  return (
    <BarChart
      h="100%"
      data={weeks}
      dataKey="monday"
      type="stacked"
      series={[
        { name: "films", color: FILMS },
        { name: "episodes", color: EPISODES },
      ]}
      barProps={({ name }) => (name === "episodes" ? { fill: `url(#${STRIPES})` } : {})}
      tickLine="none"
      barChartProps={{ margin: { top: 8 } }}
      xAxisProps={{
        ticks: monthMarks(weeks),
        tickFormatter: (monday: string) => monthText(monday, locale),
        interval: "equidistantPreserveStart",
      }}
      yAxisProps={{ allowDecimals: false, width: 32 }}
      tooltipProps={{ content: ({ payload }) => <Said week={payload?.[0]?.payload as Week | undefined} /> }}
      accessibilityLayer={false} // who does not see it has the sentence and the table beside it
    >
      <defs>
        <pattern id={STRIPES} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="6" height="6" fill={EPISODES} />
          <rect width="2" height="6" fill="var(--home-stripe)" />
        </pattern>
      </defs>
    </BarChart>
  );
}

function Said({ week }: { week: Week | undefined }) {
  const { t, i18n } = useTranslation("home");
  if (!week) return null;
  return (
    <Paper withBorder shadow="sm" px="sm" py="xs">
      <Text size="sm" fw={600}>
        {weekText(week.monday, localeOf(i18n.language))}
      </Text>
      <Text size="sm">{t("chart.nFilms", { count: week.films })}</Text>
      <Text size="sm">{t("chart.nEpisodes", { count: week.episodes })}</Text>
    </Paper>
  );
}
