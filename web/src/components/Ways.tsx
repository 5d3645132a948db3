import type { ReactNode } from "react";
import { NavLink } from "react-router";
import classes from "./ways.module.css";

export interface Way {
  to: string;
  label: string;
}

/** The pages of an area beside the one that is shown; above it where there is no room. */
export function Ways({ label, ways, children }: { label: string; ways: readonly Way[]; children: ReactNode }) {
  return (
    <div className={classes.whole}>
      <nav className={classes.ways} aria-label={label} tabIndex={0}>
        {ways.map((way, index) => (
          <NavLink key={way.to} to={way.to} className={classes.way!} end={index === 0}>
            {way.label}
          </NavLink>
        ))}
      </nav>
      <div className={classes.part}>{children}</div>
    </div>
  );
}
