// The tensors of a decoder with gated MLP, Llama's and its descendants', and how llama.cpp gets them.
import type { TensorSource } from "../../native.js";
import { type DecoderConfig, head_dim, type Parameter } from "./family.js";

/** Experts in the place of the MLP. */
export interface Experts {
  /** Module of the layer, and the names of an expert's projections in it. */
  module: string;
  gate: string;
  up: string;
  down: string;
  count: number;
  intermediate_size: number;
  /** Width of an expert that sees every token, if there is one. */
  shared_intermediate_size?: number;
}

/** What an architecture has beside Llama's tensors, or in their place. */
export interface DecoderShape {
  qkv_bias?: boolean;
  output_bias?: boolean;
  mlp_bias?: boolean;
  /** RMSNorm over query and key: of each head, or of all heads together. */
  qk_norm?: "head" | "all";
  /** llama.cpp's graph rotates neighbouring pairs, so query and key rows are permuted. */
  interleaved_rope?: boolean;
  /** Query, key and value are one matrix, gate and up another. */
  fused?: boolean;
  /** A layer's norms and their names for llama.cpp. */
  norms?: Record<string, string>;
  /** The checkpoint stores the norms' weights minus one. */
  norms_minus_one?: boolean;
  experts?: Experts;
}

const LLAMA_NORMS = { input_layernorm: "attn_norm", post_attention_layernorm: "ffn_norm" };

/** Norms before and after each block, as Gemma 2 has them. */
export const SANDWICH_NORMS = {
  input_layernorm: "attn_norm",
  post_attention_layernorm: "post_attention_norm",
  pre_feedforward_layernorm: "ffn_norm",
  post_feedforward_layernorm: "post_ffw_norm",
};

function matrix(name: string, gguf: string, rows: number, columns: number): Parameter {
  return { name: `${name}.weight`, gguf: `${gguf}.weight`, shape: [rows, columns], init: "normal" };
}

function linear(name: string, gguf: string, rows: number, columns: number, bias?: boolean): Parameter[] {
  const weight = matrix(name, gguf, rows, columns);
  return bias ? [weight, { name: `${name}.bias`, gguf: `${gguf}.bias`, shape: [rows], init: "zeros" }] : [weight];
}

function rms_norm(name: string, gguf: string, size: number, shape: DecoderShape): Parameter {
  const tensor = { name: `${name}.weight`, gguf: `${gguf}.weight`, shape: [size] };
  return shape.norms_minus_one ? { ...tensor, init: "zeros", transform: "add_one" } : { ...tensor, init: "ones" };
}

/** Every tensor of a checkpoint, in the order of Python's modules. */
export function decoder_parameters(config: DecoderConfig, shape: DecoderShape = {}): Parameter[] {
  const { vocab_size, hidden_size } = config;
  const layers = Array.from({ length: config.num_hidden_layers }, (_, i) => {
    const hf = `model.layers.${i}`;
    const blk = `blk.${i}`;
    return [
      ...attention(config, shape, `${hf}.self_attn`, blk),
      ...(shape.experts ? moe(config, shape.experts, hf, blk) : mlp(config, shape, `${hf}.mlp`, blk)),
      ...Object.entries(shape.norms ?? LLAMA_NORMS).map(([name, gguf]) =>
        rms_norm(`${hf}.${name}`, `${blk}.${gguf}`, hidden_size, shape),
      ),
    ];
  });
  return [
    matrix("model.embed_tokens", "token_embd", vocab_size, hidden_size),
    ...layers.flat(),
    rms_norm("model.norm", "output_norm", hidden_size, shape),
    matrix("lm_head", "output", vocab_size, hidden_size),
  ];
}

function attention(config: DecoderConfig, shape: DecoderShape, hf: string, blk: string): Parameter[] {
  const { hidden_size, num_attention_heads: heads, num_key_value_heads: kv_heads } = config;
  const dim = head_dim(config);
  const width = heads * dim;
  const kv_width = kv_heads * dim;
  const rotated = (parameters: Parameter[], n_head: number) =>
    shape.interleaved_rope
      ? parameters.map((parameter) => ({ ...parameter, transform: "permute_heads" as const, n_head }))
      : parameters;
  const output = linear(`${hf}.o_proj`, `${blk}.attn_output`, hidden_size, width, shape.output_bias);
  if (shape.fused) return [matrix(`${hf}.qkv_proj`, `${blk}.attn_qkv`, width + 2 * kv_width, hidden_size), ...output];
  const norm_heads = (count: number) => (shape.qk_norm === "all" ? count * dim : dim);
  return [
    ...rotated(linear(`${hf}.q_proj`, `${blk}.attn_q`, width, hidden_size, shape.qkv_bias), heads),
    ...rotated(linear(`${hf}.k_proj`, `${blk}.attn_k`, kv_width, hidden_size, shape.qkv_bias), kv_heads),
    ...linear(`${hf}.v_proj`, `${blk}.attn_v`, kv_width, hidden_size, shape.qkv_bias),
    ...output,
    ...(shape.qk_norm
      ? [
          rms_norm(`${hf}.q_norm`, `${blk}.attn_q_norm`, norm_heads(heads), shape),
          rms_norm(`${hf}.k_norm`, `${blk}.attn_k_norm`, norm_heads(kv_heads), shape),
        ]
      : []),
  ];
}

function mlp(config: DecoderConfig, shape: DecoderShape, hf: string, blk: string): Parameter[] {
  const { hidden_size, intermediate_size: inner } = config;
  const down = linear(`${hf}.down_proj`, `${blk}.ffn_down`, hidden_size, inner, shape.mlp_bias);
  if (shape.fused) return [matrix(`${hf}.gate_up_proj`, `${blk}.ffn_up`, 2 * inner, hidden_size), ...down];
  return [
    ...linear(`${hf}.gate_proj`, `${blk}.ffn_gate`, inner, hidden_size, shape.mlp_bias),
    ...linear(`${hf}.up_proj`, `${blk}.ffn_up`, inner, hidden_size, shape.mlp_bias),
    ...down,
  ];
}

function moe({ hidden_size }: DecoderConfig, experts: Experts, layer: string, blk: string): Parameter[] {
  const { count, intermediate_size: inner, shared_intermediate_size: shared } = experts;
  const hf = `${layer}.${experts.module}`;
  const stacked = (name: string, gguf: string, rows: number, columns: number): Parameter[] =>
    Array.from({ length: count }, (_, i) => ({
      ...matrix(`${hf}.experts.${i}.${name}`, `${blk}.${gguf}`, rows, columns),
      transform: "stack",
    }));
  return [
    matrix(`${hf}.gate`, `${blk}.ffn_gate_inp`, count, hidden_size),
    ...stacked(experts.gate, "ffn_gate_exps", inner, hidden_size),
    ...stacked(experts.up, "ffn_up_exps", inner, hidden_size),
    ...stacked(experts.down, "ffn_down_exps", hidden_size, inner),
    ...(shared
      ? [
          matrix(`${hf}.shared_expert_gate`, `${blk}.ffn_gate_inp_shexp`, 1, hidden_size),
          matrix(`${hf}.shared_expert.gate_proj`, `${blk}.ffn_gate_shexp`, shared, hidden_size),
          matrix(`${hf}.shared_expert.up_proj`, `${blk}.ffn_up_shexp`, shared, hidden_size),
          matrix(`${hf}.shared_expert.down_proj`, `${blk}.ffn_down_shexp`, hidden_size, shared),
        ]
      : []),
  ];
}

/** What the engine reads for these parameters; those to be stacked become one tensor. */
export function tensor_sources(parameters: Parameter[]): TensorSource[] {
  const tensors = new Map<string, TensorSource & { sources: string[] }>();
  for (const { name, gguf, transform, n_head } of parameters) {
    const stack = tensors.get(gguf);
    if (stack) stack.sources.push(name);
    else tensors.set(gguf, { name: gguf, sources: [name], ...(transform && { transform }), ...(n_head && { n_head }) });
  }
  return [...tensors.values()];
}
