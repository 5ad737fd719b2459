/**
 * How special tokens stand around one text and around two: "cls A sep", "cls A sep B sep". With types, "cls:2 A:0 sep:0",
 * where Python's class does not count them as its base does.
 */
export type Layout = readonly [single: string, pair: string];

/** All types are 0. */
export const zeros = (layout: Layout) => layout.map((side) => side.replace(/\S+/g, "$&:0")) as unknown as Layout;

/** The layouts that several classes share. */
export const LAYOUTS = {
  bert: ["cls A sep", "cls A sep B sep"],
  roberta: zeros(["bos A eos", "bos A eos eos B eos"]),
  xlm_roberta: zeros(["cls A sep", "cls A sep sep B sep"]),
} as const satisfies Record<string, Layout>;

/** The special tokens that the classes after RoBERTa and XLM-RoBERTa have. */
export const SENTENCE = {
  bos_token: "<s>",
  eos_token: "</s>",
  sep_token: "</s>",
  cls_token: "<s>",
  unk_token: "<unk>",
  pad_token: "<pad>",
  mask_token: "<mask>",
};

const parts = (layout: Layout, pair: unknown) =>
  layout[pair ? 1 : 0].split(" ").map((part) => part.split(":") as [name: string, type?: string]);

/** The row of ids; `id_of` gives those of special tokens by role. */
export function build_inputs(
  layout: Layout,
  ids: readonly number[],
  pair: readonly number[] | undefined,
  id_of: (role: string) => number,
): number[] {
  return parts(layout, pair).flatMap(([name]) => (name === "A" ? ids : name === "B" ? pair! : id_of(name)));
}

/**
 * Whose special tokens the class's mask knows in rows that have none yet: "all" of a layout; with "ends" only cls and sep
 * count in rows that have theirs. Null: as Python's other fast classes, only rows that have theirs, by all special tokens.
 */
export type MaskKind = "all" | "ends" | null;

/** 1 for each special token that a row gets. */
export function build_mask(layout: Layout, ids: readonly number[], pair: readonly number[] | undefined): number[] {
  return parts(layout, pair).flatMap(([name]) =>
    name === "A" ? ids.map(() => 0) : name === "B" ? pair!.map(() => 0) : [1],
  );
}

/** The types of such a row; undefined where the layout has none. */
export function build_types(
  layout: Layout,
  ids: readonly number[],
  pair: readonly number[] | undefined,
): number[] | undefined {
  if (!layout[0].includes(":")) return undefined;
  return parts(layout, pair).flatMap(([name, type]) => {
    const count = name === "A" ? ids.length : name === "B" ? pair!.length : 1;
    return new Array<number>(count).fill(Number(type));
  });
}
