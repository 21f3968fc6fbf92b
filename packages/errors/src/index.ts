export { ConvkitError, isConvkitError } from "./convkit-error.ts";
export { OptionError } from "./option-error.ts";
export { checkOptions, nearest, shown } from "./options.ts";
export type { OptionNames } from "./options.ts";
