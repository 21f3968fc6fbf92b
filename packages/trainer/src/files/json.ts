/** What JSON can hold: recipes, configurations and checkpoint states are made of nothing else. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
