import { createBrowserRouter } from "react-router";
import { signedIn } from "./api/session";
import { AREAS } from "./areas";
import { type LazyPart, lazily } from "./lazily";
import { Broke } from "./shell/Broke";
import { Front, Homepage } from "./shell/Front";
import { Gate } from "./shell/Gate";
import { Inside } from "./shell/Inside";
import { Outside } from "./shell/Outside";

const Login = lazily(() => import("./pages/account/Login"));
const Register = lazily(() => import("./pages/account/Register"));
const Invitation = lazily(() => import("./pages/account/Invitation"));
const PasswordReset = lazily(() => import("./pages/account/PasswordReset"));
const NotFound = lazily(() => import("./pages/NotFound"));

const OUTSIDE: Record<string, LazyPart> = {
  "/welcome": Homepage,
  "/login": Login,
  "/register": Register,
  "/invitation": Invitation,
  "/password-reset": PasswordReset,
};

/** Loads the part that an address leads to. Never fails: whoever shows the part says what is the matter. */
export async function begin(pathname: string): Promise<void> {
  const at = pathname === "/" ? (signedIn() ? "/app" : "/welcome") : pathname.replace(/\/$/, "");
  const area = AREAS.findLast(({ path }) => at === path || at.startsWith(`${path}/`));
  await (OUTSIDE[at] ?? area?.Component ?? NotFound).begin();
}

export const router = createBrowserRouter([
  {
    Component: Outside,
    ErrorBoundary: Broke,
    children: [
      { path: "/", Component: Front },
      ...Object.entries(OUTSIDE).map(([path, Component]) => ({ path, Component })),
      { path: "*", Component: NotFound },
    ],
  },
  {
    Component: Inside,
    ErrorBoundary: Broke,
    children: [
      ...AREAS.map(({ path, needs, Component }) => ({
        path: path === "/app" ? path : `${path}/*`,
        ErrorBoundary: Broke,
        element: (
          <Gate needs={needs}>
            <Component />
          </Gate>
        ),
      })),
      { path: "/app/*", Component: NotFound },
    ],
  },
]);
