import type { Context } from '../context.js'
import type { Format } from '../options/format.js'
import { Printer } from './printer.js'

/**
 * Shows the plain object that a command returns: as JSON, through a template, or by the command's own text.
 * @param text prints the text form
 */
export async function showResult(
  context: Context,
  format: Format,
  result: object,
  text: (printer: Printer) => void,
): Promise<void> {
  const printer = new Printer(context)
  if (format.type === 'json') {
    printer.json(result)
  } else if (format.type === 'go-template') {
    const { renderTemplate } = await import('./template/render-template.js')
    printer.text(renderTemplate(format.template, result))
  } else {
    text(printer)
  }
}
