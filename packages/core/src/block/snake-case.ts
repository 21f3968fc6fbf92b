/** Snake case by Keras' rules: `conv2d` for `Conv2D`, `re_lu` for `ReLU`, `fill_mode` for `fillMode`. Source: keras/src/utils/naming.py. */
export function snakeCase(name: string): string {
  return name
    .replaceAll(/\W+/g, "")
    .replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
