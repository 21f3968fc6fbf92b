import { OptionError, checkOptions, shown } from "@convkit/errors";
import { avgPool, chain, concat, maxPool, ofKind } from "@convkit/core";
import type { Block, UnnamedBlock } from "@convkit/core";
import { checkFunctions } from "@convkit/core/internal";
import type { ConvUnit } from "./conv-unit.ts";

// The modules of Szegedy et al. 2015, Rethinking the Inception Architecture, https://arxiv.org/abs/1512.00567,
// with branches named as in torchvision: `join: ""` puts a layer's number right behind its branch's name.

/** The parts that a network uses in all its modules. */
export interface InceptionParts {
  /** Convolution, norm and ReLU. */
  readonly unit: ConvUnit;
  /** The 3x3 mean at stride 1; by default TensorFlow's, which excludes padding (PyTorch's includes it). */
  readonly meanPool?: Block | undefined;
  /** The 3x3 maximum at stride 2; without padding by default. */
  readonly maxPool?: Block | undefined;
  /** Wraps the two inner concatenations of module E, to name them; by default they stay as they are. */
  readonly split?: readonly [(block: Block) => Block, (block: Block) => Block] | undefined;
}

const same = { padding: "same" } as const;
const half = { padding: "valid", stride: 2 } as const;
const flat = { join: "" } as const;
const mean3 = avgPool(3, 1, same);
const max3 = maxPool(3, 2, { padding: "valid" });

/** `[n, h, w, c] -> [n, h, w, 224 + pool]`, figure 5 with one 5x5 kept. */
export function inceptionA(parts: InceptionParts, pool: number): UnnamedBlock {
  const { unit, meanPool = mean3 } = checked("inceptionA", parts);
  return ofKind(
    "inception_a",
    concat({
      branch1x1: unit(64, 1, same),
      branch5x5: chain({ _1: unit(48, 1, same), _2: unit(64, 5, same) }, flat),
      branch3x3dbl: chain({ _1: unit(64, 1, same), _2: unit(96, 3, same), _3: unit(96, 3, same) }, flat),
      branch_pool: pooled(meanPool, unit(pool, 1, same)),
    }),
  );
}

/** `[n, h, w, c] -> [n, h / 2, w / 2, 480 + c]`, figure 10. */
export function inceptionB(parts: InceptionParts): UnnamedBlock {
  const { unit, maxPool = max3 } = checked("inceptionB", parts);
  return ofKind(
    "inception_b",
    concat({
      branch3x3: unit(384, 3, half),
      branch3x3dbl: chain({ _1: unit(64, 1, same), _2: unit(96, 3, same), _3: unit(96, 3, half) }, flat),
      branch_pool: maxPool,
    }),
  );
}

/** `[n, h, w, c] -> [n, h, w, 768]`, figure 6 with n = 7; the inner layers have `width` filters. */
export function inceptionC(parts: InceptionParts, width: number): UnnamedBlock {
  const { unit, meanPool = mean3 } = checked("inceptionC", parts);
  return ofKind(
    "inception_c",
    concat({
      branch1x1: unit(192, 1, same),
      branch7x7: chain({ _1: unit(width, 1, same), _2: unit(width, [1, 7], same), _3: unit(192, [7, 1], same) }, flat),
      branch7x7dbl: chain(
        {
          _1: unit(width, 1, same),
          _2: unit(width, [7, 1], same),
          _3: unit(width, [1, 7], same),
          _4: unit(width, [7, 1], same),
          _5: unit(192, [1, 7], same),
        },
        flat,
      ),
      branch_pool: pooled(meanPool, unit(192, 1, same)),
    }),
  );
}

/** `[n, h, w, c] -> [n, h / 2, w / 2, 512 + c]`. */
export function inceptionD(parts: InceptionParts): UnnamedBlock {
  const { unit, maxPool = max3 } = checked("inceptionD", parts);
  return ofKind(
    "inception_d",
    concat({
      branch3x3: chain({ _1: unit(192, 1, same), _2: unit(320, 3, half) }, flat),
      branch7x7x3: chain(
        { _1: unit(192, 1, same), _2: unit(192, [1, 7], same), _3: unit(192, [7, 1], same), _4: unit(192, 3, half) },
        flat,
      ),
      branch_pool: maxPool,
    }),
  );
}

/** `[n, h, w, c] -> [n, h, w, 2048]`, figure 7. */
export function inceptionE(parts: InceptionParts): UnnamedBlock {
  const { unit, meanPool = mean3, split = [(block) => block, (block) => block] } = checked("inceptionE", parts);
  const fork = concat({ a: unit(384, [1, 3], same), b: unit(384, [3, 1], same) }, flat);
  return ofKind(
    "inception_e",
    concat({
      branch1x1: unit(320, 1, same),
      branch3x3: chain({ _1: unit(384, 1, same), _2: split[0](fork) }, flat),
      branch3x3dbl: chain({ _1: unit(448, 1, same), _2: unit(384, 3, same), _3: split[1](fork) }, flat),
      branch_pool: pooled(meanPool, unit(192, 1, same)),
    }),
  );
}

function checked(where: string, parts: InceptionParts): InceptionParts {
  checkOptions(where, parts, { unit: true, meanPool: true, maxPool: true, split: true });
  if (typeof parts?.unit !== "function") {
    throw new OptionError(
      `${where}: expected unit to be a convolution such as convBnRelu(), got ${shown(parts?.unit)}.`,
    );
  }
  checkFunctions(where, { meanPool: parts.meanPool, maxPool: parts.maxPool });
  return parts;
}

function pooled(pool: Block, unit: Block): Block {
  return (x, name) => unit(pool(x, `${name}.pool`), name);
}
