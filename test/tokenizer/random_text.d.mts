export function random_numbers(seed: number): () => number;
export function random_text(random: () => number, tokens?: string[]): string;
