import "@fontsource-variable/inter/wght.css";
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "./app.css";
import { localStorageColorSchemeManager, MantineProvider, MantineThemeProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";
import { askWho } from "./api/me";
import { asProblem } from "./api/problem";
import { MessagesProvider, useMessages } from "./i18n";
import { begin, router } from "./router";
import { First } from "./shell/First";
import { theme, variables } from "./theme";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, thrown) => failures < 2 && asProblem(thrown).isPassing,
    },
  },
});

/** Short notes in a corner, whose closing button has a name. */
function Notices() {
  const closeButtonProps = { "aria-label": useMessages()("common.close") };
  return (
    <MantineThemeProvider theme={{ components: { Notification: { defaultProps: { closeButtonProps } } } }}>
      <Notifications position="bottom-right" />
    </MantineThemeProvider>
  );
}

// The same name as in `public/static/scheme.js`.
const scheme = localStorageColorSchemeManager({ key: "aura.scheme" });

const application = (
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" colorSchemeManager={scheme}>
      <QueryClientProvider client={queries}>
        <MessagesProvider meanwhile={<First />}>
          <Notices />
          <RouterProvider router={router} />
        </MessagesProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>
);

// The first page is drawn as a whole, once its part is there too; until then `index.html` says whose it is.
askWho(queries);
void begin(window.location.pathname).finally(() => createRoot(document.getElementById("root")!).render(application));
