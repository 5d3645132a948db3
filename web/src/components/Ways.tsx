import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "react-router";
import classes from "./ways.module.css";

export interface Way {
  to: string;
  label: string;
}

/** The pages of an area beside the one that is shown; above it where there is no room. */
export function Ways({ label, ways, children }: { label: string; ways: readonly Way[]; children: ReactNode }) {
  const bar = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // Where they stand in a row that scrolls, the one that is shown is in sight; the page itself stays where it is.
  useEffect(() => {
    const way = bar.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (way) bar.current!.scrollLeft = way.offsetLeft - (bar.current!.clientWidth - way.clientWidth) / 2;
  }, [pathname]);
  const here = pathname.replace(/\/+$/, "");
  const isShown = ({ to }: Way, index: number) => here === to || (index > 0 && here.startsWith(`${to}/`));
  return (
    <div className={classes.whole}>
      <nav ref={bar} className={classes.ways} aria-label={label} tabIndex={0}>
        {ways.map((way, index) => (
          <Link key={way.to} to={way.to} className={classes.way!} aria-current={isShown(way, index) ? "page" : undefined}>
            {way.label}
          </Link>
        ))}
      </nav>
      <div className={classes.part}>{children}</div>
    </div>
  );
}
