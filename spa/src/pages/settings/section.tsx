import { Paper, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { Check } from "../../parts/icons";
import styles from "./settings.module.css";

/** One matter of the settings, under its heading. */
export function Section({ title, about, children }: { title: string; about?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <Paper withBorder p="lg" component="section" aria-labelledby={id}>
      <Stack>
        <div>
          <Title order={2} size="h4" id={id}>
            {title}
          </Title>
          {about && (
            <Text size="sm" c="dimmed" mt={4}>
              {about}
            </Text>
          )}
        </div>
        {children}
      </Stack>
    </Paper>
  );
}

/** That it went well, in words. It is always there, so that screen readers hear the words come. */
export function Said({ children }: { children?: ReactNode }) {
  return (
    <Text component="div" size="sm" role="status" className={styles.said}>
      {children && (
        <>
          <Check /> {children}
        </>
      )}
    </Text>
  );
}
