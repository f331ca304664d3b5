/** The state of the device: libraries, scan, notices, logs, and a connection that is lost. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { server, standIn, texts, visit } from './harness.mjs'

test('shows the libraries, the network and the services', () =>
  visit('/device', async (page) => {
    await page.getByRole('heading', { name: 'Libraries' }).waitFor()
    await page.getByRole('heading', { name: 'Network' }).waitFor()
  }))

test('a scan is followed live, with rate and time left', standIn, () =>
  visit('/device', async (page) => {
    await page.getByText('Everything is well').waitFor()
    const scan = {
      running: true,
      root: 'blue',
      found: 16_204,
      done: 4_200,
      started: new Date(Date.now() - 10_000).toISOString(),
      left: 29,
    }
    server.tell('library', { ...server.state.status.library, scan })
    const bar = page.getByRole('progressbar', { name: 'Looking through Blue Disk' })
    await bar.waitFor()
    assert.match(
      await bar.getAttribute('aria-valuetext'),
      /^4,200 of 16,204 files · 4\d\d a second · about 29 secs? left$/,
    )
    server.tell('library', server.state.status.library)
    await bar.waitFor({ state: 'detached' })
  }),
)

test('a scan that changes the library all the time leaves the page calm', standIn, () =>
  visit('/', async (page) => {
    const shelf = page.getByRole('region', { name: 'Albums' }).getByRole('listitem')
    await shelf.first().getByRole('link').waitFor()
    const before = await texts(shelf)
    server.state.requests.length = 0
    for (let revision = 2; revision < 40; revision++) {
      server.tell('changed', { revision })
      await page.waitForTimeout(20)
    }
    assert.deepEqual(await texts(shelf), before)
    const asked = server.state.requests.filter((each) => each.startsWith('GET /api/v1/albums')).length
    assert.ok(asked <= 6, `${asked} requests for albums`)
  }),
)

test('the first files of an empty library appear by themselves', standIn, async () => {
  const { library, status } = server.state
  const none = { ...status.library, music: 0, films: 0, revision: 0, scan: { ...status.library.scan, running: true } }
  Object.assign(server.state, { library: { albums: [], items: [] }, status: { ...status, library: none } })
  try {
    await visit('/', async (page) => {
      await page.getByRole('heading', { name: 'Looking through your disk' }).waitFor()
      server.state.library = library
      server.tell('changed', { revision: 1 })
      await page.getByRole('region', { name: 'Albums' }).getByRole('listitem').first().waitFor()
    })
  } finally {
    Object.assign(server.state, { library, status })
  }
})

test('notices appear on every page at once', standIn, () =>
  visit('/', async (page) => {
    await page.getByRole('link', { name: 'Show all' }).first().waitFor()
    const since = new Date(Date.now() - 7_200_000).toISOString()
    server.tell('notices', [
      { code: 'data-full', level: 'warning', message: 'The memory card is full.', since },
      { code: 'unheard-of', level: 'error', message: 'The moon is in the way.', hint: 'Wait.', since },
    ])
    await page.getByRole('heading', { name: 'The memory card is full.' }).waitFor()
    await page.getByRole('heading', { name: 'The moon is in the way.' }).waitFor()
    await page.getByText('Since 2 hours ago').first().waitFor()
    await page.getByRole('link', { name: /Device\s*2 notices/ }).waitFor()
  }),
)

test('a log opens in a sheet', standIn, () =>
  visit('/device', async (page) => {
    await page.getByRole('button', { name: 'Log of catalog' }).click()
    await page.getByRole('dialog', { name: 'Log of catalog' }).getByText('slow disk ms=412').first().waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }),
)

test('a device that goes away is said calmly, and read again when it is back', standIn, () =>
  visit(
    '/music',
    async (page) => {
      await page.locator('main ol > li').first().waitFor()
      server.setDown(true)
      await page.getByText('No connection to livingroom').waitFor()
      assert.ok(await page.locator('main ol > li').count(), 'what was there stays')
      await page.getByRole('link', { name: 'Films', exact: true }).click()
      await page.getByRole('alert').getByText('The device does not answer').waitFor()
      server.state.status = { ...server.state.status, notices: [{ code: 'degraded', message: 'x' }] }
      server.setDown(false)
      await page.getByText('Connected again.').waitFor()
      await page.getByRole('link', { name: /^The Lighthouse Keeper/ }).waitFor()
      await page.getByRole('link', { name: /1 notice/ }).waitFor()
      server.state.status = { ...server.state.status, notices: [] }
    },
    { allow: [/ERR_/, /Failed to load/] },
  ),
)
