import type {
  AccessPointKey,
  Album,
  AlbumPage,
  Arounds,
  Attempt,
  Item,
  Kind,
  LogLine,
  NetworkSettings,
  NewProfile,
  Page,
  Period,
  Profile,
  Status,
} from './types'

/**
 * An answer that is not the one asked for. The message and the hint are the server's, written for a person, except
 * with the code "unreachable": there was no answer at all.
 */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint = '',
    readonly status = 0,
  ) {
    super(message)
  }
}

/** Reads the {code, message, hint} of an answer that is not 2xx. */
export async function errorOf(answer: Response): Promise<ApiError> {
  try {
    const body = (await answer.json()) as { code?: string; message?: string; hint?: string }
    return new ApiError(body.code || 'internal', body.message || answer.statusText, body.hint, answer.status)
  } catch {
    return new ApiError('internal', `${answer.status} ${answer.statusText}`.trim(), '', answer.status)
  }
}

/** Asks, and throws an {@link ApiError} where the answer is not 2xx. */
export async function call(path: string, init?: RequestInit): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(path, init)
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new ApiError('unreachable', '')
  }
  // A proxy's or a relay's word that the device is gone is not the device's own.
  if (answer.status === 502 || answer.status === 504) throw new ApiError('unreachable', '', '', answer.status)
  if (!answer.ok) throw await errorOf(answer)
  return answer
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await call(path, { signal, headers: { Accept: 'application/json' } })).json() as Promise<T>
}

async function post(path: string): Promise<void> {
  await call(path, { method: 'POST' })
}

/** Sends JSON and returns the answer's. */
export async function send<T>(method: 'POST' | 'PUT', path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers = body === undefined ? undefined : { 'Content-Type': 'application/json' }
  const answer = await call(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
  })
  return answer.json() as Promise<T>
}

/** Sends JSON for which there is no answer. */
export async function tell(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<void> {
  const headers = body === undefined ? undefined : { 'Content-Type': 'application/json' }
  await call(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
}

export interface Query {
  kind?: Kind
  q?: string
  album?: string
  offset?: number
  limit?: number
}

function search(query: Query): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value) params.set(key, String(value))
  const text = params.toString()
  return text && '?' + text
}

export const status = (signal?: AbortSignal) => get<Status>('/api/v1/status', signal)

export async function items(query: Query, signal?: AbortSignal): Promise<Page<Item>> {
  const page = await get<{ total: number; items: Item[] | null }>('/api/v1/items' + search(query), signal)
  return { total: page.total, rows: page.items ?? [] }
}

export async function albums(query: Query, signal?: AbortSignal): Promise<Page<Album>> {
  const page = await get<{ total: number; albums: Album[] | null }>('/api/v1/albums' + search(query), signal)
  return { total: page.total, rows: page.albums ?? [] }
}

export const item = (id: string, signal?: AbortSignal) => get<Item>(`/api/v1/items/${encodeURIComponent(id)}`, signal)

export const album = (id: string, signal?: AbortSignal) =>
  get<AlbumPage>(`/api/v1/albums/${encodeURIComponent(id)}`, signal)

export async function log(service: string, tail: number, signal?: AbortSignal): Promise<LogLine[]> {
  const path = `/api/v1/services/${encodeURIComponent(service)}/log?tail=${tail}`
  return (await get<{ lines: LogLine[] | null }>(path, signal)).lines ?? []
}

export const scan = () => post('/api/v1/scan')

export const eject = (disk: string) => post(`/api/v1/disks/${encodeURIComponent(disk)}/eject`)

const net = '/api/v1/network/'
const named = (id: string) => encodeURIComponent(id)

/** What the page about the network asks and says. */
export const network = {
  around: async (signal?: AbortSignal) => get<Arounds>(net + 'networks', signal),
  /** Looks on all channels first, for up to twenty seconds. */
  scan: async () => send<Arounds>('POST', net + 'scan'),
  profiles: async (signal?: AbortSignal) => (await get<Profile[] | null>(net + 'profiles', signal)) ?? [],
  create: async (profile: NewProfile) => send<Profile>('POST', net + 'profiles', profile),
  change: async (id: string, profile: NewProfile) => send<Profile>('PUT', net + 'profiles/' + named(id), profile),
  /** Forgets it even if the page is being closed. */
  forget: async (id: string) => void (await call(net + 'profiles/' + named(id), { method: 'DELETE', keepalive: true })),
  order: async (ids: string[]) => send<Profile[]>('PUT', net + 'order', ids),
  attempt: async (profile: NewProfile) => send<Attempt>('POST', net + 'attempts', profile),
  attemptOf: async (id: string, signal?: AbortSignal) => get<Attempt>(net + 'attempts/' + named(id), signal),
  settings: async (signal?: AbortSignal) => get<NetworkSettings>(net + 'settings', signal),
  set: async (change: NetworkSettings) => send<NetworkSettings>('PUT', net + 'settings', change),
  history: async (signal?: AbortSignal) => (await get<Period[] | null>(net + 'history', signal)) ?? [],
  key: async (signal?: AbortSignal) => get<AccessPointKey>(net + 'access-point', signal),
  keyQR: net + 'access-point/qr.svg',
  seal: async (passphrase: string) => (await send<{ data: string }>('POST', net + 'export', { passphrase })).data,
  unseal: async (passphrase: string, data: string) =>
    send<{ profiles: number; settings: boolean }>('POST', net + 'import', { passphrase, data }),
}

const media = (id: string) => `/media/${encodeURIComponent(id)}`

export const fileURL = (id: string) => media(id) + '/file'
export const coverURL = (id: string, size: number) => `${media(id)}/cover?size=${size}`
export const hlsURL = (id: string) => media(id) + '/hls/index.m3u8'
export const subtitlesURL = (id: string, n: number) => `${media(id)}/subtitles/${n}.vtt`

/** Asks why a media address does not play. Null: the server would serve it. */
export async function whyNot(url: string): Promise<ApiError | null> {
  try {
    await call(url, { method: 'HEAD' })
    return null
  } catch (err) {
    if (!(err instanceof ApiError) || err.code === 'unreachable') return new ApiError('unreachable', '')
  }
  try {
    await call(url, { headers: { Range: 'bytes=0-0' } }) // the answer to HEAD has no words
    return null
  } catch (err) {
    return err instanceof ApiError ? err : new ApiError('unreachable', '')
  }
}
