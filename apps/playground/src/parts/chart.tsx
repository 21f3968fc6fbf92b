/** A drawn SVG, with its content in words for readers who do not see it. */
export function Chart({ svg, label }: { readonly svg: string; readonly label: string }) {
  return <div class="chart" role="img" aria-label={label} dangerouslySetInnerHTML={{ __html: svg }} />;
}
