import { createBrowserRouter } from "react-router";
import { AREAS } from "./areas";
import { lazily } from "./lazily";
import { Broke } from "./shell/Broke";
import { Front } from "./shell/Front";
import { Gate } from "./shell/Gate";
import { Inside } from "./shell/Inside";
import { Outside } from "./shell/Outside";

const Homepage = lazily(() => import("./pages/home/Homepage"));
const Login = lazily(() => import("./pages/account/Login"));
const Register = lazily(() => import("./pages/account/Register"));
const Invitation = lazily(() => import("./pages/account/Invitation"));
const PasswordReset = lazily(() => import("./pages/account/PasswordReset"));
const NotFound = lazily(() => import("./pages/NotFound"));

export const router = createBrowserRouter([
  {
    Component: Outside,
    ErrorBoundary: Broke,
    children: [
      { path: "/", Component: Front },
      { path: "/welcome", Component: Homepage },
      { path: "/login", Component: Login },
      { path: "/register", Component: Register },
      { path: "/invitation", Component: Invitation },
      { path: "/password-reset", Component: PasswordReset },
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
