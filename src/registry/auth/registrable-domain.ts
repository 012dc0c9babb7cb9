import { isIP } from 'node:net'

/** Labels that country registries hand names out under, as in `example.co.uk`. */
const GENERIC_LABELS = new Set(
  'ac co com edu gob gouv gov go gen id idf in info ltd me mil name ne net nhs nom or org plc police pp re sch web biz'.split(
    ' ',
  ),
)

/**
 * Domains under which strangers live side by side; being neighbours there means nothing. Not the whole public suffix
 * list, only where registries, their token services and machines that answer for anybody are found.
 */
const SHARED_DOMAINS = (
  'amazonaws.com amazonaws.com.cn on.aws awsapprunner.com cloudfront.net elasticbeanstalk.com azurecr.io azurecr.cn azurecr.us ' +
  'azure.com azurewebsites.net azurecontainerapps.io azurecontainer.io azurefd.net azureedge.net cloudapp.net trafficmanager.net ' +
  'windows.net azure-api.net googleapis.com pkg.dev gcr.io run.app appspot.com web.app firebaseapp.com googleusercontent.com ' +
  'cloudfunctions.net jfrog.io jfrog.com cloudsmith.io github.io githubusercontent.com github.dev gitlab.io gitpod.io pages.dev ' +
  'workers.dev r2.dev r2.cloudflarestorage.com cloudflarestorage.com trycloudflare.com herokuapp.com herokuspace.com vercel.app ' +
  'now.sh netlify.app netlify.com onrender.com render.com fly.dev deno.dev railway.app up.railway.app repl.co replit.app ngrok.io ' +
  'ngrok.app ngrok.dev ngrok-free.app ngrok-free.dev loca.lt localtunnel.me serveo.net nip.io sslip.io xip.io traefik.me ' +
  'duckdns.org dyndns.org ddns.net no-ip.org noip.com hopto.org dynu.net freeddns.org myqnapcloud.com synology.me ' +
  'digitaloceanspaces.com ondigitalocean.app linodeobjects.com vultrobjects.com backblazeb2.com wasabisys.com scw.cloud ' +
  'ovh.net cleverapps.io oraclecloud.com ocir.io icr.io appdomain.cloud myhuaweicloud.com tencentcloudcr.com tencentyun.com ' +
  'myqcloud.com bcebos.com nhncloud.com nhncloudservice.com ncloud.com ntruss.com openshiftapps.com rhcloud.com openshift.com'
).split(' ')

/** Where each region is a domain of its own, with the registry and its token service as neighbours in it. */
const REGIONAL_DOMAINS = ['aliyuncs.com']

/**
 * The part of a host name that one owner has registered; the whole name where strangers share a domain, and undefined
 * for addresses and for names of one label, which nobody can own.
 */
export function registrableDomainOf(host: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (name.startsWith('[') || isIP(name) !== 0) return undefined
  const labels = name.split('.')
  const top = labels.at(-1) ?? ''
  // Names of one label and numbers as top domain belong to nobody.
  if (labels.length < 2 || labels.includes('') || /^\d+$/.test(top)) return undefined
  if (isUnder(name, SHARED_DOMAINS)) return name
  if (isUnder(name, REGIONAL_DOMAINS)) return labels.slice(-3).join('.')
  const isGeneric = top.length === 2 && GENERIC_LABELS.has(labels.at(-2) ?? '')
  if (isGeneric) return labels.length < 3 ? undefined : labels.slice(-3).join('.')
  return labels.slice(-2).join('.')
}

function isUnder(name: string, domains: readonly string[]): boolean {
  return domains.some((domain) => name === domain || name.endsWith(`.${domain}`))
}
