export async function tokenizer_from_gguf(
  path: string,
): Promise<{ tokenizer: object; keywords: Record<string, unknown> }> {
  throw new Error(path);
}
