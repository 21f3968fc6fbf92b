import { conv, convFilter, convInput } from "./conv";
import { depthwise, depthwiseFilter, depthwiseInput } from "./depthwise";
import { affine, binary, copy, unary } from "./elementwise";
import { matMul } from "./matmul";
import { averagePool, averagePoolGrad, maxPool, maxPoolGrad } from "./pooling";
import { sum } from "./reduction";

/** Runs units `begin` to `end` of the kernel with this number; `src/wasm/runtime.ts` has the same list. */
export function kernel(id: i32, args: usize, begin: i32, end: i32, scratch: usize): void {
  switch (id) {
    case 0:
      return matMul(args, begin, end, scratch);
    case 1:
      return conv(args, begin, end, scratch);
    case 2:
      return convInput(args, begin, end, scratch);
    case 3:
      return convFilter(args, begin, end, scratch);
    case 4:
      return depthwise(args, begin, end);
    case 5:
      return depthwiseInput(args, begin, end);
    case 6:
      return depthwiseFilter(args, begin, end);
    case 7:
      return maxPool(args, begin, end);
    case 8:
      return maxPoolGrad(args, begin, end);
    case 9:
      return averagePool(args, begin, end);
    case 10:
      return averagePoolGrad(args, begin, end);
    case 11:
      return binary(args, begin, end);
    case 12:
      return unary(args, begin, end);
    case 13:
      return affine(args, begin, end);
    case 14:
      return copy(args, begin, end);
    case 15:
      return sum(args, begin, end);
  }
}
