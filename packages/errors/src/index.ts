export { ConvkitError, isConvkitError } from "./convkit-error.ts";
export { OptionError } from "./option-error.ts";
export { checkOptions, nearest, shown } from "./options.ts";
export type { OptionNames } from "./options.ts";
export {
  aboveZero,
  belowOne,
  betweenZeroAndOne,
  checkValue,
  checkValues,
  finite,
  fromOne,
  fromZero,
  oneOf,
  someFunction,
  someText,
  trueOrFalse,
  wholeFromOne,
  wholeFromZero,
  zeroToOne,
} from "./values.ts";
export type { ValueRule } from "./values.ts";
