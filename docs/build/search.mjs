/** The sections of a rendered page, for the search: `{ id, page, title, text }`. */
export function searchDocuments(file, html) {
  const start = html.indexOf('class="vp-doc');
  if (start < 0) return [];
  const body = html.slice(start, html.indexOf("<footer", start) < 0 ? undefined : html.indexOf("<footer", start));
  const page = plain(/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(body)?.[1] ?? file);
  return body
    .split(/(?=<h[1-4] id=)/)
    .slice(1)
    .map((section) => {
      const [, id, title] = /<h[1-4] id="([^"]*)"[^>]*>([\s\S]*?)<\/h[1-4]>/.exec(section) ?? [];
      const rest = plain(section.replace(/<h[1-4][\s\S]*?<\/h[1-4]>/, ""));
      // Of the API only the names and their first sentence.
      const text = rest.slice(0, file.startsWith("api/") ? 120 : 3000);
      return { id: `${file}#${id}`, page, title: plain(title ?? page), text };
    })
    .filter(
      ({ id, title }) =>
        !/^(Parameters|Returns|Extends|Properties|Constructors?|Overrides|Inherited from|Call Signature|Methods|Functions|Classes|Interfaces|Type Aliases|Variables)$/.test(
          title,
        ) || !id.startsWith("api/"),
    );
}

const entities = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'", "&ZeroWidthSpace;": "" };
const plain = (html) =>
  html
    .replaceAll(/<button[\s\S]*?<\/button>|<span class="lang">.*?<\/span>|<a class="header-anchor"[\s\S]*?<\/a>/g, "")
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/&(lt|gt|amp|quot|#39|ZeroWidthSpace);/g, (entity) => entities[entity])
    .replaceAll(/[\s\u200B]+/g, " ")
    .trim();
