// What the families of the llama engine refuse, and that each of them goes out to GGUF and back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AutoConfig, AutoModelForCausalLM, type CausalLM, type Tensor } from "../../lib/index.js";
import { fixture, folders, read_json, read_tensors, relative_error } from "../fixtures.js";

const load = (name: string, options = {}) => AutoModelForCausalLM.from_pretrained(fixture("models", name), options);
const ids = (name: string) => read_json<{ inputs: { input_ids: number[][] } }>("models", name, "case.json").inputs;
const logits = async (model: CausalLM, rows: number[][]) => ((await model(rows)).logits as Tensor).data as Float32Array;

describe.each(folders("models"))("%s as GGUF", (name) => {
  it("gives Python's logits", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
    try {
      const model = await load(name, { dtype: "float32" });
      await model.save_gguf(join(folder, "model.gguf"));
      await model.dispose();
      const copy = await AutoModelForCausalLM.from_pretrained(join(folder, "model.gguf"));
      const expected = read_tensors("models", name, "expected.safetensors")["logits"].data;
      expect(relative_error(await logits(copy, ids(name).input_ids), expected)).toBeLessThan(1e-4);
      await copy.dispose();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a configuration that llama.cpp would run differently from Python", () => {
  it.each([
    ["gemma", { hidden_act: "gelu" }, 'gemma: the activation "gelu"'],
    ["gemma", { tie_word_embeddings: false }, "gemma: tie_word_embeddings=false"],
    ["gemma2", { query_pre_attn_scalar: 24 }, "gemma2: query_pre_attn_scalar=24 (expected 16)"],
    ["gemma2", { attn_logit_softcapping: null }, "gemma2: attn_logit_softcapping=null"],
    ["gemma2", { layer_types: ["full_attention", "full_attention"] }, "gemma2: layer_types without both"],
    ["gemma3", { use_bidirectional_attention: true }, "gemma3_text: use_bidirectional_attention=true"],
    ["granite", { residual_multiplier: 0 }, "granite: residual_multiplier=0"],
    ["mixtral", { output_router_logits: true }, "mixtral: output_router_logits=true"],
    ["phi3-longrope", { partial_rotary_factor: 0.95 }, "phi3: partial_rotary_factor=0.95"],
    ["qwen2-moe", { norm_topk_prob: true }, "qwen2_moe: norm_topk_prob=true"],
    ["qwen3-moe", { mlp_only_layers: [1] }, "qwen3_moe: decoder_sparse_step or mlp_only_layers"],
    ["smollm3", { no_rope_layers: [1, 1, 1, 1] }, "smollm3: no_rope_layers other than every fourth"],
    [
      "qwen3",
      {
        rope_scaling: {
          rope_type: "llama3",
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 16,
        },
      },
      'qwen3: rope_scaling of type "llama3"',
    ],
  ])("is refused: %s with %o", async (name, changes, message) => {
    const config = await AutoConfig.from_pretrained(fixture("models", name));
    Object.assign(config, changes);
    await expect(load(name, { config })).rejects.toMatchObject({
      code: "unsupported_config",
      message: expect.stringContaining(message),
    });
  });

  it("is refused when more experts are used than there are", async () => {
    const config = await AutoConfig.from_pretrained(fixture("models", "mixtral"));
    Object.assign(config, { num_experts_per_tok: 5 });
    await expect(load("mixtral", { config })).rejects.toThrow(
      "Expected an integer from 1 to 4 for the num_experts_per_tok of config but received 5",
    );
  });
});

it("ends a row of Phi-3 with longrope where Python changes its factors", async () => {
  const model = await load("phi3-longrope");
  await expect(model([Array.from({ length: 49 }, () => 5)])).rejects.toThrow(
    "Expected at most 48 tokens in a row but received 49",
  );
  await model.dispose();
});
