// A block of Python that is followed by a block of TypeScript is the same thing in Keras and in convkit: the site shows both side by
// side, and one below the other where the page is narrow.

/** A plugin of markdown-it that wraps such pairs. */
export function besideKeras(md) {
  md.core.ruler.push("beside", ({ tokens, Token }) => {
    const html = (content) => Object.assign(new Token("html_block", "", 0), { content });
    for (let i = 0; i + 1 < tokens.length; i++) {
      if (!isFence(tokens[i], "python") || !isFence(tokens[i + 1], "ts")) continue;
      const [python, ours] = [tokens[i], tokens[i + 1]];
      const pair = [
        html('<div class="beside"><div><p class="side">Keras</p>\n'),
        python,
        html('</div><div><p class="side">convkit</p>\n'),
        ours,
        html("</div></div>\n"),
      ];
      tokens.splice(i, 2, ...pair);
      i += pair.length - 1;
    }
  });
}

const isFence = ({ type, info }, language) => type === "fence" && info.trim() === language;
