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
export { matMul, matMulScratch, matMulUnits } from "./matmul";
export { averagePool, averagePoolGrad, maxPool, maxPoolGrad, poolGradUnits, poolUnits } from "./pooling";
