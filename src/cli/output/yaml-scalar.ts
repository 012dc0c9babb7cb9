/** What YAML would read as something else than a string, if it stood without quotes. */
const OTHER_TYPE =
  /^(?:~|null|true|false|yes|no|on|off|y|n|[-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?|0x[0-9a-f]+|0o?[0-7]+|[-+]?\.inf|\.nan|\d{4}-\d{1,2}-\d{1,2}.*|<<)$/i

/** A string as a YAML value on one line: with double quotes where it needs them. */
export function formatYamlScalar(text: string): string {
  const isPlain =
    text !== '' &&
    !OTHER_TYPE.test(text) &&
    !/^[\s\-?:,[\]{}#&*!|>'"%@`]/.test(text.replace(/^[-?:](?=\S)/, '')) &&
    !/: |:$| #|\s$|[\u0000-\u001f\u007f]/.test(text) // eslint-disable-line no-control-regex -- they need quotes
  return isPlain ? text : JSON.stringify(text)
}
