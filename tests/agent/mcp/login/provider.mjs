// A server of the Model Context Protocol that wants a login, and the OpenID provider that gives it: the official SDK and
// `oidc-provider`, each at an address of its own. It prints where they are. The server answers at /seen what was asked of
// both; at /how?HOW they do something else from then on, at /expire the tokens that were given hold no more, at /revoke nor does
// what renews them, and at /go renewals that are held up go on.
//
// usage: node provider.mjs MODULES HOW, where HOW is what they do wrong, or `well`
import { createRequire } from 'node:module'
import { createServer } from 'node:http'

let [modules, how] = process.argv.slice(2)
const require = createRequire(`${modules}/provider.js`)
const { default: Provider } = require('oidc-provider')
const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js')
const { StreamableHTTPServerTransport } = require('@modelcontextprotocol/sdk/server/streamableHttp.js')

const seen = []
// the tokens that were given, what renews them, and the renewals that are held up
const [tokens, renewing, held] = [new Set(), new Set(), []]
const listening = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)))
const body = async (request) => Buffer.concat(await request.toArray()).toString()

const doors = createServer((request, response) => provide(request, response))
const host = how === 'elsewhere' ? 'localhost' : '127.0.0.1'
const issuer = `http://${host}:${await listening(doors)}`
const shop = createServer((request, response) => serve(request, response))
const origin = `http://127.0.0.1:${await listening(shop)}`
const resource = `${origin}/mcp`
// where nothing of a login has any business
const elsewhere = createServer((request, response) => {
  seen.push(`elsewhere ${request.method} ${request.url.split('?')[0]}`)
  response.end('{}')
})
const away = `http://localhost:${await listening(elsewhere)}`

// The provider. Whoever comes is logged in and agrees.
const provider = new Provider(issuer, {
  clients: [
    { client_id: 'known', client_secret: 'hush:1', token_endpoint_auth_method: 'client_secret_basic' },
    { client_id: 'open', token_endpoint_auth_method: 'none' },
  ],
  clientDefaults: {
    application_type: 'native', redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
  },
  scopes: ['offline_access', 'read', 'write'],
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: how !== 'unregistered' },
    revocation: { enabled: how !== 'unrevocable' },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, indicator) => ({ scope: 'read write', audience: indicator, accessTokenFormat: 'opaque' }),
    },
  },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => how !== 'unrenewable',
  ttl: { AccessToken: 3600, Grant: 3600, Session: 3600, RefreshToken: 3600, Interaction: 600 },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  cookies: { keys: ['test'] },
})

async function interact(request, response) {
  const { params, prompt } = await provider.interactionDetails(request, response)
  if (how === 'declined') {
    return provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'Not today.' })
  }
  if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: 'ada' } })
  const grant = new provider.Grant({ accountId: 'ada', clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  grant.addResourceScope(params.resource, params.scope)
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
}

// What stands between the provider and who asks it.
async function provide(request, response) {
  const path = request.url.split('?')[0]
  seen.push(`provider ${request.method} ${path}`)
  if (path.startsWith('/interaction/')) return interact(request, response)
  if (path.includes('/.well-known/')) return metadata(path, response)
  if (path === '/token') {
    if (how === 'junk') return response.end('<html>secret-junk</html>')
    if (how === 'huge') return response.end('x'.repeat(8 << 20))
    if (how === 'hang') return
    if (how === 'redirects-token') return response.writeHead(307, { location: `${away}/token` }).end()
    request.body = Object.fromEntries(new URLSearchParams(await body(request)))
    seen.push(`token ${request.body.grant_type} ${request.body.resource}`)
    if (request.body.grant_type === 'refresh_token' && how === 'held') await new Promise((go) => held.push(go))
  }
  if (path === '/reg' && how === 'redirects-registration') return response.writeHead(307, { location: `${away}/reg` }).end()
  if (path.startsWith('/auth/') && how.startsWith('iss-')) {
    const write = response.setHeader.bind(response)
    response.setHeader = (name, value) => write(name, name.toLowerCase() === 'location' ? turned(value) : value)
  }
  provider.callback()(request, response)
}

// The way back to the client, as somebody else would have it.
function turned(location) {
  const url = new URL(location, issuer)
  if (how === 'iss-wrong') url.searchParams.set('iss', 'https://evil.example')
  if (how === 'iss-missing') url.searchParams.delete('iss')
  return url.toString()
}

function metadata(path, response) {
  const all = {
    issuer: how === 'issuer-other' ? 'https://evil.example' : issuer,
    authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`,
    registration_endpoint: how === 'unregistered' ? undefined : `${issuer}/reg`,
    revocation_endpoint: how === 'unrevocable' ? undefined : `${issuer}/token/revocation`,
    response_types_supported: ['code'], code_challenge_methods_supported: how === 'no-pkce' ? ['plain'] : ['S256'],
    scopes_supported: ['offline_access', 'read', 'write'], authorization_response_iss_parameter_supported: true,
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
  }
  if (how === 'insecure') all.token_endpoint = 'http://auth.example.com/token'
  if (how === 'redirects-metadata') return response.writeHead(302, { location: `${away}${path}` }).end()
  const places = how === 'openid' ? ['/.well-known/openid-configuration'] : ['/.well-known/oauth-authorization-server']
  if (!places.includes(path)) return response.writeHead(404).end()
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(all))
}

// The server of the protocol: it takes the provider's tokens for itself alone.
async function serve(request, response) {
  const path = request.url.split('?')[0]
  if (path === '/seen') return response.end(JSON.stringify(seen))
  if (path === '/how') how = request.url.split('?')[1]
  if (path === '/go') held.splice(0).forEach((go) => go())
  if (path === '/expire' || path === '/revoke') await end(tokens, provider.AccessToken)
  if (path === '/revoke') await end(renewing, provider.RefreshToken)
  if (['/how', '/go', '/expire', '/revoke'].includes(path)) return response.end()
  seen.push(`server ${request.method} ${path}`)
  if (path === '/.well-known/oauth-protected-resource/mcp') {
    if (how === 'redirects-resource') return response.writeHead(302, { location: `${away}${path}` }).end()
    response.setHeader('content-type', 'application/json')
    const named = how === 'resource-other' ? `${away}/mcp` : resource
    return response.end(JSON.stringify({ resource: named, authorization_servers: [issuer], scopes_supported: ['read'] }))
  }
  if (path !== '/mcp' || request.method === 'GET') return response.writeHead(path === '/mcp' ? 405 : 404).end()
  const token = await provider.AccessToken.find((request.headers.authorization ?? '').replace(/^Bearer /, ''))
  const message = request.method === 'POST' ? JSON.parse(await body(request)) : undefined
  if (!token?.isValid || token.aud !== resource) {
    seen.push('server refuses')
    const pointer = how === 'well-known' ? '' : `, resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`
    return response.writeHead(401, { 'www-authenticate': `Bearer error="invalid_token"${pointer}` }).end()
  }
  const writes = message?.method === 'tools/call' && message.params.name === 'write'
  if (writes && !token.scope.split(' ').includes('write')) {
    const challenge = 'Bearer error="insufficient_scope", scope="write"'
    return response.writeHead(403, { 'www-authenticate': challenge }).end()
  }
  const server = new McpServer({ name: 'shop', version: '1.0' })
  for (const tool of ['read', 'write']) {
    server.registerTool(tool, { description: `Can ${tool}.` }, () => {
      seen.push(`called ${tool}`)
      return { content: [{ type: 'text', text: `did ${tool}` }] }
    })
  }
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true })
  await server.connect(transport)
  await transport.handleRequest(request, response, message)
}

// What was given until now holds no more.
async function end(given, kind) {
  for (const id of given) await (await kind.find(id))?.destroy()
}
provider.on('access_token.saved', (token) => tokens.add(token.jti))
provider.on('refresh_token.saved', (token) => renewing.add(token.jti))

console.log(JSON.stringify({ mcp: resource, issuer }))
