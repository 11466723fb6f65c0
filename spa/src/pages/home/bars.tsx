import "@mantine/charts/styles.css";
import { BarChart } from "@mantine/charts";
import { useTranslation } from "react-i18next";
import { localeOf } from "../../i18n";
import type { Week } from "../../lib/weeks";

/** In a file of its own: the library of charts is larger than all of the page. */
export default function Bars({ weeks }: { weeks: Week[] }) {
  const { t, i18n } = useTranslation("home");
  const month = new Intl.DateTimeFormat(localeOf(i18n.language), { month: "short" });
  const day = new Intl.DateTimeFormat(localeOf(i18n.language), { dateStyle: "medium" });
  return (
    <BarChart
      h={200}
      data={weeks}
      dataKey="monday"
      type="stacked"
      withLegend
      series={[
        { name: "episodes", label: t("chart.episodes"), color: "sea.6" },
        { name: "films", label: t("chart.films"), color: "orange.7" },
      ]}
      xAxisProps={{ tickFormatter: (monday: string) => month.format(new Date(`${monday}T12:00`)), interval: 4 }}
      yAxisProps={{ allowDecimals: false, width: 32 }}
      barChartProps={{ accessibilityLayer: false }} // who does not see it has the sentence beside it
      barProps={{ isAnimationActive: false }}
      tooltipProps={{
        labelFormatter: (monday) =>
          monday ? t("chart.week", { day: day.format(new Date(`${String(monday)}T12:00`)) }) : "",
      }}
    />
  );
}
