/**
 * Domains under which strangers live side by side although the public suffix list does not have them: registries that
 * give each customer a name, and services that answer for any name. Being neighbours there means nothing.
 */
const SHARED_DOMAINS = new Set(
  (
    'amazonaws.com amazonaws.com.cn on.aws azurecr.io azurecr.cn azurecr.us azure.com azurecontainerapps.io windows.net pkg.dev ' +
    'gcr.io googleusercontent.com jfrog.io jfrog.com cloudsmith.io github.dev gitpod.io cloudflarestorage.com herokuspace.com ' +
    'netlify.com render.com railway.app loca.lt localtunnel.me serveo.net nip.io sslip.io xip.io traefik.me noip.com ' +
    'backblazeb2.com wasabisys.com scw.cloud ovh.net oraclecloud.com ocir.io icr.io appdomain.cloud vultrcr.com aroapp.io ' +
    'myhuaweicloud.com tencentcloudcr.com tencentyun.com myqcloud.com bcebos.com nhncloud.com nhncloudservice.com ncloud.com ' +
    'ntruss.com openshiftapps.com openshift.com'
  ).split(' '),
)

/** Where each region is a domain of its own, with the registry and its token service as neighbours in it. */
const REGIONAL_DOMAINS = new Set(['aliyuncs.com'])

/**
 * The part of a host name that one owner has registered, by the public suffix list with its private domains. The whole
 * name where strangers share a domain; undefined for addresses and for names that nobody can register: of one label,
 * or below `.local`, `.internal`, `.home.arpa` and the like.
 */
export async function registrableDomainOf(host: string): Promise<string | undefined> {
  const name = host.toLowerCase().replace(/\.$/, '')
  const { parseHostName } = await import('./public-suffixes.js')
  const { domain, publicSuffix, isIcann, isPrivate, isIp } = parseHostName(name)
  if (domain === null || isIp === true || publicSuffix === 'home.arpa') return undefined
  if (isIcann !== true && isPrivate !== true) return undefined
  if (SHARED_DOMAINS.has(domain)) return name
  return REGIONAL_DOMAINS.has(domain) ? name.split('.').slice(-3).join('.') : domain
}
