import { describe, expect, test } from 'vitest'
import { renderTemplate } from '../../../src/cli/output/template/render-template.js'

const data = {
  digest: 'sha256:abc',
  size: 12345678,
  tags: ['v1', 'v2'],
  annotations: { b: '2', a: '1' },
  referrers: [
    { digest: 'd1', referrers: [] },
    { digest: 'd2', referrers: [{ digest: 'd3' }] },
  ],
  empty: null,
}

describe('renderTemplate', () => {
  test.each([
    ['{{.digest}}', 'sha256:abc'],
    ['a {{.digest}} b', 'a sha256:abc b'],
    ['{{.size}}', '12345678'],
    ['{{.nosuch}}', '<no value>'],
    ['{{.annotations}}', 'map[a:1 b:2]'],
    ['{{.tags}}', '[v1 v2]'],
    ['{{range .tags}}{{println .}}{{end}}', 'v1\nv2\n'],
    ['{{range $i, $t := .tags}}{{$i}}={{$t}};{{end}}', '0=v1;1=v2;'],
    ['{{range $k, $v := .annotations}}{{$k}}{{$v}}{{end}}', 'a1b2'],
    ['{{range .nosuch}}x{{else}}none{{end}}', 'none'],
    ['{{range .tags}}{{if eq . "v1"}}{{continue}}{{end}}{{.}}{{end}}', 'v2'],
    ['{{range .tags}}{{.}}{{break}}{{end}}', 'v1'],
    ['{{(index .referrers 1).digest}}', 'd2'],
    ['{{index .tags 0}}', 'v1'],
    ['{{(index (index .referrers 1).referrers 0).digest}}', 'd3'],
    ['{{if and .digest (gt .size 10)}}yes{{else}}no{{end}}', 'yes'],
    ['{{if .empty}}a{{else if .tags}}b{{else}}c{{end}}', 'b'],
    ['{{with .annotations}}{{.a}}{{$.digest}}{{end}}', '1sha256:abc'],
    ['{{$x := 1}}{{$x}}{{$x = 2}}{{$x}}', '12'],
    ['{{.tags | join ","}}', 'v1,v2'],
    ['{{len .tags}} {{len .digest}}', '2 10'],
    ['{{printf "%-5s|%05d|%q|%v" "ab" 42 "x" .tags}}', 'ab   |00042|"x"|[v1 v2]'],
    ['{{.annotations | toJson}}', '{"b":"2","a":"1"}'],
    ['{{.nosuch | default "x" | upper | quote}}', '"X"'],
    ['{{`raw "text"`}}{{"\\u0041\\n"}}', 'raw "text"A\n'],
    ['a {{- /* gone */ -}} b', 'ab'],
    ['{{"}}"}}', '}}'],
    ['x  {{- .digest -}}  y', 'xsha256:abcy'],
    ['{{ternary "a" "b" true}} {{not false}} {{ne 1 2}}', 'a true true'],
  ])('%s', (template, expected) => {
    expect(renderTemplate(template, data)).toBe(expected)
  })

  test.each([
    ['{{', 'unclosed action'],
    ['{{if .a}}', '{{if}} without {{end}}'],
    ['{{end}}', 'unexpected {{end}}'],
    ['{{nosuch .}}', 'function "nosuch" not defined'],
    ['{{constructor}}', 'function "constructor" not defined'],
    ['{{.digest.x}}', "can't evaluate field x"],
    ['{{$y}}', 'undefined variable "$y"'],
    ['{{(.a}}', 'unclosed parenthesis'],
    ['{{index .tags 5}}', 'out of range'],
    ['{{.a | }}', 'missing value for command'],
    ['{{"x}}', 'unterminated string'],
    ['{{template "x"}}', 'not supported'],
  ])('refuses %s', (template, reason) => {
    expect(() => renderTemplate(template, data)).toThrow(reason)
  })

  test('fields of the prototype are no fields', () => {
    expect(renderTemplate('{{.toString}}', {})).toBe('<no value>')
  })
})
