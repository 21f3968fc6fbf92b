export {
  conv,
  convFilter,
  convFilterPartials,
  convFilterScratch,
  convFilterSum,
  convFilterUnits,
  convInput,
  convInputScratch,
  convInputUnits,
  convScratch,
  convUnits,
} from "./conv";
export {
  depthwise,
  depthwiseFilter,
  depthwiseFilterPartials,
  depthwiseFilterSum,
  depthwiseFilterUnits,
  depthwiseInput,
  depthwiseInputUnits,
  depthwiseUnits,
} from "./depthwise";
export { affine, affineUnits, binary, binaryUnits, copy, copyUnits, unary, unaryUnits } from "./elementwise";
export { matMul, matMulScratch, matMulUnits } from "./matmul";
export { averagePool, averagePoolGrad, maxPool, maxPoolGrad, poolGradUnits, poolUnits } from "./pooling";
export { sum, sumPartials, sumSlices, sumUnits } from "./reduction";
