import { Navigate } from "react-router";
import { useMe } from "../api/me";
import { ErrorNote } from "../components/ErrorNote";
import { lazily } from "../lazily";

export const Homepage = lazily(() => import("../pages/home/Homepage"));

/** The first address: the overview for who is signed in, else what AURA is. */
export function Front() {
  const { me, isKnown, error, retry } = useMe();
  if (me) return <Navigate to="/app" replace />;
  if (error) return <ErrorNote error={error} onRetry={retry} />;
  return isKnown ? <Homepage /> : null;
}
