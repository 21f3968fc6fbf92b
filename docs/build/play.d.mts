/** A page's text with a place for each `<!-- play: name key=value … -->`. */
export function withPlays(text: string): string;
/** Writes the script that the places need. */
export function writePlay(docs: string, out: string): Promise<void>;
