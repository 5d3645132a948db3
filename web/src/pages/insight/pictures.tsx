import type { ReactElement } from "react";
import { Area, AreaChart, Bar, BarChart, CartesianGrid, Legend, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { useLanguage } from "../../i18n";

/** Colours of series that are told apart in light and dark, also by who does not see red and green apart. */
export const COLORS = [
  "light-dark(#0f6b63, #5db5a8)",
  "light-dark(#b4540a, #f0a35e)",
  "light-dark(#1b5fa8, #8abdf5)",
  "light-dark(#7a3fa3, #cda3ea)",
  "light-dark(#8a6d00, #dcc05a)",
  "light-dark(#515b62, #a4acb1)",
  "light-dark(#a3245c, #f29bbf)",
  "light-dark(#3d6b1f, #a5cf85)",
];

export interface Series {
  key: string;
  label: string;
}

interface Props {
  rows: readonly object[];
  series: readonly Series[];
  /** Which field names a row: a day, or a name. */
  at: string;
  write: (value: number) => string;
  /** Whether values are counted: then the axis has no halves. */
  isWhole?: boolean;
}

const LONGEST_NAME = 16;

const AXIS = { tick: { fill: "currentColor", fontSize: 12 }, tickLine: false, axisLine: false } as const;
const TIP = {
  contentStyle: { background: "var(--aura-panel)", border: "1px solid var(--aura-line)", borderRadius: 8, color: "var(--mantine-color-text)" },
  isAnimationActive: false,
} as const;

function useDay(): (day: unknown) => string {
  const { language } = useLanguage();
  return (day) =>
    /^\d{4}-\d\d-\d\d$/.test(String(day))
      ? new Date(`${String(day)}T00:00:00Z`).toLocaleDateString(language, { day: "numeric", month: "short", timeZone: "UTC" })
      : String(day);
}

/** Returns a name as an axis has room for it; the table has all of it. */
const short = (name: string) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);

/** A dot where a value has none beside it, as a line that has no length is not seen. */
function Alone({ cx, cy, index = 0, points = [], stroke }: { cx?: number; cy?: number; index?: number; points?: readonly { value?: unknown }[]; stroke?: string }) {
  const has = (at: number) => points[at]?.value != null;
  if (cy === undefined || !has(index) || has(index - 1) || has(index + 1)) return null;
  return <circle cx={cx} cy={cy} r={4} fill={stroke} />;
}

function Frame({ children }: { children: ReactElement }) {
  return (
    <ResponsiveContainer width="100%" height="100%">
      {children}
    </ResponsiveContainer>
  );
}

const margin = { top: 8, right: 12, bottom: 0, left: 0 };

function legend(series: readonly Series[]) {
  return series.length > 1 && <Legend iconType="circle" iconSize={8} wrapperStyle={{ fontSize: 12 }} formatter={(name) => <span style={{ color: "var(--mantine-color-text)" }}>{name}</span>} />;
}

/** Amounts of days above each other. */
export function Areas({ rows, series, at, write, isWhole = false }: Props) {
  const day = useDay();
  return (
    <Frame>
      <AreaChart accessibilityLayer={false} data={[...rows]} margin={margin}>
        <CartesianGrid vertical={false} stroke="var(--aura-line)" />
        <XAxis dataKey={at} tickFormatter={day} minTickGap={28} {...AXIS} />
        <YAxis tickFormatter={write} width="auto" allowDecimals={!isWhole} {...AXIS} />
        <Tooltip {...TIP} labelFormatter={day} formatter={(value) => write(Number(value))} />
        {legend(series)}
        {series.map(({ key, label }, index) => (
          <Area key={key} dataKey={key} name={label} stackId="one" type="monotone" stroke={COLORS[index]!} fill={COLORS[index]!} fillOpacity={0.28} isAnimationActive={false} />
        ))}
      </AreaChart>
    </Frame>
  );
}

/** Values of days as lines; a day without one breaks them. */
export function Lines({ rows, series, at, write, isWhole = false }: Props) {
  const day = useDay();
  return (
    <Frame>
      <LineChart accessibilityLayer={false} data={[...rows]} margin={margin}>
        <CartesianGrid vertical={false} stroke="var(--aura-line)" />
        <XAxis dataKey={at} tickFormatter={day} minTickGap={28} {...AXIS} />
        <YAxis tickFormatter={write} width="auto" allowDecimals={!isWhole} {...AXIS} />
        <Tooltip {...TIP} labelFormatter={day} formatter={(value) => write(Number(value))} />
        {legend(series)}
        {series.map(({ key, label }, index) => (
          <Line key={key} dataKey={key} name={label} type="monotone" stroke={COLORS[index]!} strokeWidth={2} dot={Alone} isAnimationActive={false} />
        ))}
      </LineChart>
    </Frame>
  );
}

/** Bars beside each other, or one of parts; lying where their names are long. */
export function Bars({ rows, series, at, write, isLying = false, isWhole = false }: Props & { isLying?: boolean }) {
  const day = useDay();
  const names = { dataKey: at, tickFormatter: (name: unknown) => short(day(name)), ...AXIS };
  const values = { tickFormatter: write, type: "number" as const, allowDecimals: !isWhole, ...AXIS };
  return (
    <Frame>
      <BarChart accessibilityLayer={false} data={[...rows]} layout={isLying ? "vertical" : "horizontal"} margin={margin} maxBarSize={44}>
        <CartesianGrid vertical={isLying} horizontal={!isLying} stroke="var(--aura-line)" />
        {isLying ? <XAxis {...values} /> : <XAxis minTickGap={20} {...names} />}
        {isLying ? <YAxis type="category" width="auto" {...names} /> : <YAxis width="auto" {...values} />}
        <Tooltip {...TIP} cursor={{ fill: "var(--aura-side)" }} labelFormatter={day} formatter={(value) => write(Number(value))} />
        {legend(series)}
        {series.map(({ key, label }, index) => (
          <Bar key={key} dataKey={key} name={label} stackId="one" fill={COLORS[index % COLORS.length]!} isAnimationActive={false} />
        ))}
      </BarChart>
    </Frame>
  );
}
