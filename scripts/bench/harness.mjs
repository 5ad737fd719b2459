// Rows of a benchmark: measured in turns, printed as a table, and as JSON with `--json`.
import { cpus } from "node:os";
import { parseArgs } from "node:util";

export const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    threads: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    rows: { type: "string", default: "" },
  },
});
export const threads = Number(options.threads);
export const rounds = Number(options.rounds);

export const min = (list) => Math.min(...list);
export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Runs all of `measures` (functions that give a number, by name) in turns, so that a slow minute hits all of them. */
export async function in_turns(measures, times = rounds) {
  const results = Object.fromEntries(Object.keys(measures).map((name) => [name, []]));
  for (let round = 0; round < times; round++) {
    for (const [name, measure] of Object.entries(measures)) results[name].push(await measure());
  }
  return results;
}

/**
 * Runs each of `measures` alone, again and again, after a pause and one run that does not count: the threads of some
 * peers spin on after their work, and would take cores from the next.
 */
export async function in_blocks(measures, times = rounds) {
  const results = {};
  for (const [name, measure] of Object.entries(measures)) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await measure();
    results[name] = [];
    for (let round = 0; round < times; round++) results[name].push(await measure());
  }
  return results;
}

const rows = [];

/**
 * One row. `ours` and `peer` are lists of times; the ratio is of their minima, above 1 where we are faster.
 * @param unit of the times, such as "µs/token"
 */
export function add_row(name, unit, ours, peer, peer_name) {
  const row = { name, unit, ours: min(ours), peer: min(peer), peer_name, ratio: min(peer) / min(ours) };
  rows.push({ ...row, ours_median: median(ours), peer_median: median(peer) });
}

const number = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** Prints what was added. */
export function report(title) {
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} CPUs, Node ${process.version}`;
  console.log(`${title}\n${machine}; ${threads} thread(s); min (median) of ${rounds}; ratio > 1: we are faster\n`);
  const table = rows.map((row) => [
    row.name,
    `${number(row.ours)} (${number(row.ours_median)}) ${row.unit}`,
    `${number(row.peer)} (${number(row.peer_median)})`,
    row.peer_name,
    row.ratio.toFixed(2),
  ]);
  table.unshift(["", "ours", "peer", "", "ratio"]);
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
  for (const line of table)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
  if (options.json) console.log(JSON.stringify({ machine, rows }));
}
