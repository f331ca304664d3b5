/** Lists, the filter, search, and what they say when there is nothing. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base, firstAlbum, firstFilm, server, standIn, titleOf, visit } from './harness.mjs'

test('home shows what there is', () =>
  visit('/', async (page) => {
    await page.getByRole('heading', { name: 'Albums', exact: false }).first().waitFor()
    await page.getByRole('link', { name: 'Show all' }).first().waitFor()
    assert.match(await page.title(), /^Home – /)
  }))

test('music lists albums, and an album its songs', async () => {
  const album = await firstAlbum()
  await visit('/music', async (page) => {
    await page.getByRole('link', { name: album.title }).first().click()
    await page.getByRole('heading', { level: 1, name: album.title }).waitFor()
    assert.equal(await page.locator('main ol > li').count(), album.tracks)
    await page.getByRole('button', { name: 'Back', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Music' }).waitFor()
  })
})

test('the filter narrows the list as one types, and is in the address', async () => {
  const album = await firstAlbum()
  const word = album.title.split(' ')[0]
  await visit('/music', async (page) => {
    await page.getByRole('searchbox', { name: 'Filter music' }).fill(word)
    await page.waitForURL((url) => url.searchParams.get('q') === word)
    await page.getByRole('link', { name: album.title }).first().waitFor()
    await page.getByRole('searchbox').fill('zzzqqq')
    await page.getByRole('heading', { name: 'Nothing found for “zzzqqq”' }).waitFor()
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByRole('link', { name: album.title }).first().waitFor()
  })
})

test('search finds albums, songs and films', async () => {
  const film = await firstFilm()
  const title = titleOf(film)
  await visit('/', async (page) => {
    await page.keyboard.press('/')
    await page.getByRole('searchbox', { name: 'Search music and films' }).fill(title.split(' ').at(-1))
    await page.getByRole('link', { name: title }).first().click()
    await page.getByRole('heading', { level: 1, name: titleOf(film) }).waitFor()
  })
})

test('an address that does not exist, and an item that is gone', () =>
  visit(
    '/nowhere',
    async (page) => {
      await page.getByRole('heading', { level: 2, name: 'There is no such page' }).waitFor()
      await page.goto(base + '/album/gone')
      await page.getByRole('alert').getByText('This is not in the library any more').waitFor()
    },
    { allow: [/404/] },
  ))

/**
 * Returns how long the page's main thread has worked, in ms of its own processor time: that of other programs, which a wall
 * clock would count, is not in it.
 */
async function workOf(page) {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  return async () => {
    const { metrics } = await devtools.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration').value * 1000
  }
}

/** Scrolls, and returns once that is drawn how many rows there are, and how many of them were not there before. */
async function scrolled(by) {
  const rows = () => [...document.querySelectorAll('main ol > li')]
  const before = new Set(rows())
  scrollBy(0, by)
  await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  const after = rows()
  return { rows: after.length, fresh: after.filter((row) => !before.has(row)).length }
}

test('a hundred thousand songs scroll smoothly, and only some of them are in the page', standIn, async () => {
  server.state.endless = 100_000
  try {
    await visit('/music/songs', async (page) => {
      await page.getByText('Lights no. 1', { exact: false }).first().waitFor()
      const work = await workOf(page)
      const [frames, drawn] = [[], []]
      for (let i = 0; i < 60; i++) {
        const before = await work()
        drawn.push(await page.evaluate(scrolled, 480))
        frames.push((await work()) - before)
      }
      frames.sort((a, b) => a - b)
      assert.ok(frames[0] > 0, 'it is measured')
      assert.ok(
        frames[Math.floor(frames.length / 2)] < 40,
        `half of the frames within 40 ms: ${frames.map(Math.round)}`,
      )
      assert.ok(Math.max(...drawn.map(({ rows }) => rows)) < 60, `rows in the page: ${drawn.map(({ rows }) => rows)}`)
      const most = Math.max(...drawn.map(({ fresh }) => fresh))
      assert.ok(most > 0 && most <= 16, `rows made anew for a frame: ${drawn.map(({ fresh }) => fresh)}`)
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2))
      await page.locator('main ol > li[aria-posinset="50000"]').getByText('no. 50000').waitFor()
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
      await page.getByText('no. 100000').waitFor()
      const rows = await page.locator('main ol > li').count()
      assert.ok(rows < 60, `${rows} rows in the page`)
      const fetched = server.state.requests.filter((each) => each.includes('/api/v1/items?kind=music')).length
      assert.ok(fetched < 20, `${fetched} pages fetched`)
    })
  } finally {
    server.state.endless = 0
  }
})

test('every list says why it is empty', standIn, async () => {
  const { library, status } = server.state
  server.state.library = { albums: [], items: [] }
  const none = { ...status.library, roots: [], music: 0, films: 0 }
  server.state.status = { ...status, library: none }
  try {
    for (const path of ['/', '/music', '/music/songs', '/films']) {
      await visit(path, (page) => page.getByRole('heading', { name: 'Plug in a disk with music or films' }).waitFor())
    }
    server.state.status = { ...status, library: { ...none, roots: [{ ...status.library.roots[0], away: true }] } }
    await visit('/', (page) => page.getByText('Plug in Blue Disk again and everything is back.').waitFor())
  } finally {
    Object.assign(server.state, { library, status })
  }
})

test('a list that cannot be fetched says so and can be tried again', standIn, async () => {
  server.state.fail.set('/api/v1/albums', {
    status: 503,
    code: 'internal',
    message: 'index: no such bucket',
    hint: 'Scan again.',
  })
  await visit(
    '/music',
    async (page) => {
      const alert = page.getByRole('alert')
      await alert.getByText('Something went wrong on the device').waitFor()
      await alert.getByText('index: no such bucket').waitFor()
      server.state.fail.clear()
      await alert.getByRole('button', { name: 'Try again' }).click()
      await page.locator('main ol > li').first().waitFor()
    },
    { allow: [/503/] },
  )
})
