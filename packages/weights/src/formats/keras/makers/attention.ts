import { Attention, MultiHeadAttention } from "../../../layers/attention.ts";
import type { AttentionCall } from "../../../layers/attention.ts";
import { base, numberOf } from "../layer-args.ts";
import type { Layer, Makers, Request } from "./request.ts";

/** Attention of one and of several heads. */
export const attentionLayers: Makers = {
  Attention: (making) => {
    const mode = making.config["score_mode"];
    return attention(making, mode === "concat" || mode === "add" ? mode : "dot");
  },
  AdditiveAttention: (making) => attention(making, "add"),
  MultiHeadAttention: ({ args, config, call, refuse }) => {
    if (config["use_gate"] === true || config["sliding_window"] != null || config["softmax_robust_masking"] === true)
      return refuse("a gate, a sliding window or robust masking is not known");
    return new MultiHeadAttention({ ...args, ...attentionCall({ call, config }) } as never);
  },
  GroupQueryAttention: (making) => groupedQueries(making),
  GroupedQueryAttention: (making) => groupedQueries(making),
};

/** The arguments of an attention's call, in tfjs' form; a file of ours has them in the layer's own configuration. */
function attentionCall({ call, config }: Pick<Request, "call" | "config">): AttentionCall {
  if (call?.roles === undefined || call.options === undefined)
    return {
      ...(Array.isArray(config["roles"]) ? { roles: config["roles"].map(String) } : {}),
      useCausalMask: config["use_causal_mask"] === true,
      returnAttentionScores: config["return_attention_scores"] === true,
    };
  const { use_causal_mask: useCausalMask = false, return_attention_scores: returnAttentionScores = false } =
    call.options;
  return {
    roles: call.roles,
    useCausalMask: useCausalMask === true,
    returnAttentionScores: returnAttentionScores === true,
  };
}

function attention({ args, config, call }: Request, scoreMode: "dot" | "concat" | "add"): Layer {
  const useScale = config["use_scale"] === true;
  const dropout = numberOf(config["dropout"], 0);
  return new Attention({ ...base(args), ...attentionCall({ call, config }), useScale, scoreMode, dropout } as never);
}

function groupedQueries({ args, config, call, refuse }: Request): Layer {
  if (config["use_gate"] === true || config["sliding_window"] != null)
    return refuse("a gate or a sliding window is not known");
  return new MultiHeadAttention({
    ...args,
    ...attentionCall({ call, config }),
    numHeads: config["num_query_heads"],
    keyHeads: config["num_key_value_heads"],
    keyDim: config["head_dim"],
  } as never);
}
