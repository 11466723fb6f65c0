import "./app/mantine.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode, startTransition } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./app/query-client";
import { router } from "./app/router";
import { contrast, theme } from "./app/theme";
import { begin } from "./i18n";

// Together, not one after another: the words, and the page that the address asks for.
await Promise.all([begin(), router.load()]);

const page = createRoot(document.getElementById("root") as HTMLElement);
// As a transition React makes the page in small steps, between which the browser can do other things.
startTransition(() =>
  page.render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={contrast} defaultColorScheme="auto">
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  ),
);

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register("/sw.js");
}
