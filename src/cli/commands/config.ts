import { readConfig } from '../../image/image.js'
import { parseJson } from '../../util/json.js'
import { source } from '../arguments.js'
import { command } from '../command.js'
import { platformOptions } from '../options/platform.js'
import { contentResultOf } from '../output/content-result.js'

export default command({
  summary: 'Show the config of an image',
  description:
    'The config byte for byte, without a line end. The platform of an index is linux/amd64 unless another is chosen.',
  arguments: { source: source() },
  needs: 'the image whose config is shown',
  options: { ...platformOptions },
  examples: [
    ['Show the config of an image', 'config localhost:5000/app:v1'],
    ['Show the config of one platform of an index', 'config --platform linux/arm64 localhost:5000/app:v1'],
  ],
  run: async ({ source: { store, path, reference }, options: { platform }, client, signal }) => ({
    path,
    ...(await readConfig(await client.withCache(store), reference, { platform, signal })),
  }),
  json: ({ path, descriptor, bytes }) => ({
    ...contentResultOf(path, descriptor),
    content: parseJson(bytes, `config ${descriptor.digest}`),
  }),
  text: ({ bytes }, print) => print.bytes(bytes),
})
