import { SegmentedControl, Table } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Empty } from "../../components/Empty";
import { Panel } from "../../components/Panel";
import { useMessages } from "../../i18n";
import classes from "./insight.module.css";

export interface Column<Row> {
  label: string;
  value: (row: Row) => string | number;
}

interface Props<Row> {
  title: string;
  text: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  isEmpty: boolean;
  /** Why it may be empty; that nothing was asked unless it is given. */
  emptyText?: string;
  /** The picture; who does not see it has the same in the table. */
  children: ReactNode;
}

/** A chart, and the same as a table: for screen readers at once, for everybody at a click. */
export function Chart<Row>({ title, text, rows, columns, isEmpty, emptyText, children }: Props<Row>) {
  const t = useMessages();
  const [shape, setShape] = useState("chart");
  const isTable = shape === "table";
  return (
    <Panel
      title={title}
      text={text}
      actions={
        !isEmpty && (
          <SegmentedControl
            size="xs"
            aria-label={`${title}: ${t("insight.shape")}`}
            value={shape}
            onChange={setShape}
            data={[
              { value: "chart", label: t("insight.chart") },
              { value: "table", label: t("insight.table") },
            ]}
          />
        )
      }
    >
      {isEmpty ? (
        <Empty title={t("insight.nothing")} text={emptyText ?? t("insight.nothingText")} />
      ) : (
        <>
          {!isTable && (
            <div className={classes.chart} aria-hidden>
              {children}
            </div>
          )}
          <div className={isTable ? classes.table : classes.unseen} tabIndex={isTable ? 0 : -1} role="region" aria-label={title}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  {columns.map((column) => (
                    <Table.Th key={column.label}>{column.label}</Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows.map((row, index) => (
                  <Table.Tr key={index}>
                    {columns.map((column) => (
                      <Table.Td key={column.label}>{column.value(row)}</Table.Td>
                    ))}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        </>
      )}
    </Panel>
  );
}
