/** The page about the network: the verdict, known networks and their order, joining, its own network, and being set up. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { air, connected } from './air.mjs'
import { server, standIn, until, visit } from './harness.mjs'

const since = '2026-01-02T20:41:00Z'

/** Runs a test with networks of its own, and a status that it may change. */
const aloft =
  (run, change = (network) => network, options) =>
  async () => {
    const before = { status: server.state.status, air: server.state.air }
    server.state.air = air()
    server.state.status = { ...before.status, network: change(connected(new Date().toISOString())) }
    try {
      await visit('/network', (page) => run(page, server.state.air), options)
    } finally {
      Object.assign(server.state, before)
    }
  }
const asked = (air, path) => air.asked.filter((each) => each.path === path)

test('is part of no first visit', standIn, () =>
  visit('/', async (page) => {
    await page.getByRole('heading', { name: 'Albums' }).waitFor()
    server.state.requests.length = 0
    await page.goto(server.url + '/device')
    assert.equal(server.state.requests.filter((each) => each.includes('/network')).length, 0)
    await page.getByRole('link', { name: 'Manage' }).click()
    await page.getByRole('heading', { level: 1, name: 'Network' }).waitFor()
    await page.getByRole('heading', { name: 'Connected to Home' }).waitFor()
  }),
)

for (const [state, words, more] of [
  ['good', 'Connected to Home', {}],
  ['lan-only', /^Connected to Home, but no internet since .*\d\d:\d\d$/, { reason: 'The router does not answer.' }],
  ['lan-only', 'Connected to Home', {}],
  ['good', 'Connected by cable', { kind: 'ethernet', name: 'eth0', wifi: undefined }],
  ['captive', 'Connected to a phone by USB, and asked to sign in', { kind: 'usb', name: 'usb0', wifi: undefined }],
  ['captive', 'Home wants you to sign in', { login: 'http://login.example/start' }],
  ['associated', 'Joining Home', {}],
])
  test(
    `says ${state} in words: ${words}`,
    standIn,
    aloft(
      async (page) => {
        await page.getByRole('heading', { name: words }).waitFor()
        const login = page.getByRole('link', { name: 'Sign in' })
        assert.equal(await login.count(), more.login ? 1 : 0)
        if (more.login) assert.equal(await login.getAttribute('href'), more.login)
      },
      (network) => ({ ...network, state, links: [{ ...network.links[0], state, since, ...more }] }),
    ),
  )

test(
  'a login address that is no web page is no link',
  standIn,
  aloft(
    async (page) => {
      await page.getByRole('heading', { name: 'Home wants you to sign in' }).waitFor()
      assert.equal(await page.getByRole('link', { name: 'Sign in' }).count(), 0)
    },
    (network) => ({ ...network, links: [{ ...network.links[0], state: 'captive', login: 'javascript:alert(1)' }] }),
  ),
)

test(
  'shows the last 24 hours to the eye and to the ear',
  standIn,
  aloft(async (page) => {
    const strip = page.getByRole('img', {
      name: /^The last 24 hours\. Internet: 22 hours 24 minutes, Without internet: 48 minutes, No network: 48 minutes/,
    })
    await strip.waitFor()
    await page.getByText('What happened').click()
    await page.getByText(/Mara’s iPhone, Internet/).waitFor()
    await page.getByText(/No network, own network up/).waitFor()
  }),
)

test(
  'the order is changed by keys and by dragging, and kept',
  standIn,
  aloft(async (page, air) => {
    const names = () => page.locator('ol > li .name').allInnerTexts()
    await page.getByRole('button', { name: 'Move Home, 1 of 3' }).press('ArrowDown')
    await until(async () => (await names()).join() === 'Router after a reset,Home,Phone')
    await page.getByRole('status').getByText('Home is number 2 of 3 now.').waitFor()
    assert.deepEqual(asked(air, 'order').at(-1).body, ['p2', 'p1', 'p3'])

    const row = page.getByRole('button', { name: 'Move Home, 2 of 3' })
    await row.evaluate((each) => each.scrollIntoView({ block: 'center' })) // clear of the bar at the foot
    await page.waitForTimeout(300) // the rows come to rest
    const [from, to] = await Promise.all(
      ['Move Phone, 3 of 3', 'Move Router after a reset, 1 of 3'].map((name) =>
        page.getByRole('button', { name }).boundingBox(),
      ),
    )
    await page.mouse.move(from.x + 10, from.y + 10)
    await page.mouse.down()
    await page.mouse.move(to.x + 10, to.y + 10, { steps: 8 })
    await page.waitForTimeout(300) // the rows that made way are at rest
    await page.mouse.move(to.x + 10, to.y + 12)
    await page.mouse.up()
    await until(async () => (await names())[0] === 'Phone')
    assert.deepEqual(asked(air, 'order').at(-1).body, ['p3', 'p2', 'p1'])
  }),
)

test(
  'an order that is refused goes back',
  standIn,
  aloft(
    async (page) => {
      server.state.fail.set('/api/v1/network/order', { status: 503, code: 'busy', message: 'netmgr is not there' })
      try {
        await page.getByRole('button', { name: 'Move Home, 1 of 3' }).press('ArrowDown')
        await page.getByText('Busy at the moment').waitFor()
        await until(async () => (await page.locator('ol > li .name').first().innerText()) === 'Home')
      } finally {
        server.state.fail.clear()
      }
    },
    undefined,
    { allow: [/503/] },
  ),
)

test(
  'joining tells a wrong password, keeps it for correction, and then the steps',
  standIn,
  aloft(async (page, air) => {
    await page.getByRole('button', { name: /Nachbar/ }).click()
    const sheet = page.getByRole('dialog', { name: 'Join Nachbar' })
    const password = sheet.getByRole('textbox', { name: 'Password' })
    await password.fill('short')
    await sheet.getByRole('button', { name: 'Connect', exact: true }).click()
    await sheet.getByText('A WiFi password has at least 8 characters.').waitFor()
    assert.equal(asked(air, 'attempts').length, 0)

    await password.fill('correct hose')
    await password.press('Enter')
    await sheet.getByText('Finding it and checking the password').waitFor()
    await sheet.getByRole('alert').getByText('Wrong password for Nachbar.').waitFor()
    assert.equal(await password.inputValue(), 'correct hose')
    await until(() => password.evaluate((input) => input === document.activeElement))

    await password.fill('correct horse')
    await password.press('Enter')
    await sheet.getByText('Getting an address').waitFor()
    await page.getByRole('status').getByText('Connected to Nachbar.').waitFor()
    await sheet.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Move Nachbar, 4 of 4' }).waitFor()
    for (const request of server.state.requests) assert.doesNotMatch(request, /horse|hose/)
  }),
)

test(
  'an attempt is followed without news too',
  standIn,
  aloft(async (page, air) => {
    air.pace = 100
    air.passwords.Nachbar = 'correct horse'
    await page.getByRole('button', { name: /Nachbar/ }).click()
    await page.evaluate(() => (EventSource.prototype.addEventListener = () => {}))
    await page.getByRole('textbox', { name: 'Password' }).fill('correct horse')
    await page.keyboard.press('Enter')
    await page.getByRole('status').getByText('Connected to Nachbar.').waitFor()
  }),
)

test(
  'a hidden network is joined by its name, an open one without a password',
  standIn,
  aloft(async (page, air) => {
    await page.getByRole('button', { name: 'Another network' }).click()
    const sheet = page.getByRole('dialog', { name: 'Another network' })
    await sheet.getByRole('textbox', { name: 'Name of the network' }).fill('Hidden')
    await sheet.getByRole('textbox', { name: 'Password' }).fill('under the roof')
    await sheet.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.getByRole('status').getByText('Connected to Hidden.').waitFor()
    assert.equal(asked(air, 'attempts')[0].body.hidden, true)

    await page.getByRole('button', { name: /Café am Eck/ }).click()
    await page.getByText('Whoever is near can join it too.').waitFor()
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.getByRole('status').getByText('Connected to Café am Eck.').waitFor()
    assert.equal(asked(air, 'attempts')[1].body.passphrase, '')
  }),
)

test(
  'what cannot be joined says why',
  standIn,
  aloft(async (page) => {
    await page.getByText('Cannot be joined. It wants a user account (WPA-Enterprise), not a password.').waitFor()
    assert.equal(await page.getByRole('button', { name: /Office/ }).count(), 0)
  }),
)

test(
  'a known network is changed, and forgotten unless that is undone',
  standIn,
  aloft(async (page, air) => {
    await page.getByRole('button', { name: /Phone.*iPhone/ }).click()
    const sheet = page.getByRole('dialog', { name: 'Phone' })
    await sheet.getByRole('textbox', { name: 'Called' }).fill('Mara')
    await sheet.getByRole('switch', { name: 'Join by itself' }).uncheck()
    await sheet.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: /Mara.*not joined by itself/ }).waitFor()
    const { body } = asked(air, 'profiles/p3')[0]
    assert.deepEqual([body.name, body.off, body.metered, 'passphrase' in body], ['Mara', true, true, false])

    await page.getByRole('button', { name: /Mara.*iPhone/ }).click()
    await page.getByRole('button', { name: 'Forget this network' }).click()
    await page.getByRole('button', { name: 'Move Mara, 3 of 3' }).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('button', { name: 'Move Mara, 3 of 3' }).waitFor()
    assert.equal(air.profiles.length, 3)

    await page.getByRole('button', { name: /Mara.*iPhone/ }).click()
    await page.getByRole('button', { name: 'Forget this network' }).click()
    await page.getByRole('link', { name: 'Music', exact: true }).click() // leaving carries it out
    await until(() => air.profiles.length === 2)
  }),
)

test(
  'its own network shows its password on demand only, and is changed',
  standIn,
  aloft(async (page, air) => {
    await page.getByText('Comes up by itself when no network works').waitFor()
    assert.equal(server.state.requests.filter((each) => each.includes('access-point')).length, 0)
    await page.getByRole('button', { name: 'Show QR code and password' }).click()
    await page.getByRole('img', { name: 'QR code to join livingroom' }).waitFor()
    await page.getByText('abcd efgh jkmn').waitFor()
    await page.getByRole('button', { name: 'Hide', exact: true }).click()
    assert.equal(await page.getByText('abcd efgh jkmn').count(), 0)

    await page.getByRole('button', { name: 'Change' }).click()
    const sheet = page.getByRole('dialog', { name: 'Its own network' })
    await sheet.getByRole('radio', { name: 'Always' }).check()
    await sheet.getByRole('textbox', { name: 'Password' }).fill('tiny')
    await sheet.getByRole('button', { name: 'Save' }).click()
    await sheet.getByText('A WiFi password has at least 8 characters.').waitFor()
    await sheet.getByRole('radio', { name: 'Changing' }).check()
    await sheet.getByRole('button', { name: 'Save' }).click()
    await sheet.waitFor({ state: 'detached' })
    assert.deepEqual(air.settings.access_point, {
      ssid: 'livingroom',
      passphrase: '',
      open: false,
      permanent: true,
      off: false,
    })
  }),
)

test(
  'country and check are kept at once',
  standIn,
  aloft(async (page, air) => {
    await page.getByRole('combobox', { name: 'Country' }).selectOption({ label: 'Germany' })
    await until(() => air.settings.country === 'DE')
    await page.getByRole('radio', { name: 'Ask nobody' }).check()
    await until(() => air.settings.judge.off)
    await page.getByRole('radio', { name: 'My own' }).check()
    await page.getByRole('textbox', { name: 'Address 1' }).fill('example.org')
    await page.getByRole('button', { name: 'Save', exact: true, disabled: false }).click()
    await page.getByText('An address begins with http:// or https://.').waitFor()
    await page.getByRole('textbox', { name: 'Address 1' }).fill('http://check.example/204')
    await page.getByRole('button', { name: 'Save', exact: true, disabled: false }).click()
    await until(() => air.settings.judge.operators?.[0] === 'http://check.example/204' && !air.settings.judge.off)
  }),
)

test(
  'all of it goes into a file and comes out again',
  standIn,
  aloft(
    async (page) => {
      await page.getByRole('button', { name: 'Save to a file' }).click()
      await page.getByRole('textbox', { name: 'Password for the file' }).fill('four words and more')
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click(),
      ])
      assert.equal(download.suggestedFilename(), 'manofwar-networks.age')
      const content = readFileSync(await download.path())
      assert.equal(content.toString(), 'sealed with four words and more')

      await page.getByRole('button', { name: 'Take from a file' }).click()
      const sheet = page.getByRole('dialog', { name: 'Take from a file' })
      await sheet
        .getByLabel('File', { exact: true })
        .setInputFiles({ name: 'x.age', mimeType: 'application/octet-stream', buffer: content })
      await sheet.getByRole('textbox', { name: 'Password for the file' }).fill('other words')
      await sheet.getByRole('button', { name: 'Take in' }).click()
      await sheet.getByText('Is it the right password?').waitFor()
      await sheet.getByRole('textbox', { name: 'Password for the file' }).fill('four words and more')
      await sheet.getByRole('button', { name: 'Take in' }).click()
      await page.getByText('2 networks are known now.').waitFor()
    },
    undefined,
    { allow: [/400/] },
  ),
)

test(
  'a change of the network is said in passing, on every page',
  standIn,
  aloft(async (page) => {
    await page.getByRole('link', { name: 'Music', exact: true }).click()
    await page.locator('main ol > li').first().waitFor()
    const { network } = server.state.status
    const link = (ssid, state) => ({
      ...network.links[0],
      state,
      reason: state === 'lan-only' ? 'x' : '',
      wifi: { ...network.links[0].wifi, ssid },
    })
    const say = async (links, words) => {
      server.tell('network', { ...network, links })
      await page.getByRole('status').getByText(words).waitFor()
    }
    await say([link('Phone hotspot', 'good')], 'Home is gone, on Phone hotspot.')
    await say([link('Phone hotspot', 'lan-only')], 'No internet over Phone hotspot.')
    await say([link('Phone hotspot', 'good')], 'The internet is back over Phone hotspot.')
    await say([], 'Phone hotspot is gone. Looking for another network.')
    await say([link('Home', 'good')], 'Connected to Home.')
  }),
)

test(
  'the device is given a name, and says where it is found by it',
  standIn,
  aloft(async (page, air) => {
    const panel = page.getByRole('region', { name: 'Name' })
    const field = panel.getByLabel('Name of the device')
    await panel.getByRole('link', { name: 'http://livingroom.local' }).waitFor()
    assert.ok(await panel.getByRole('button', { name: 'Save' }).isDisabled())
    await field.fill('Kitchen TV')
    await panel.getByRole('button', { name: 'Save' }).click()
    await page.getByText('It is called “Kitchen TV” now.').waitFor()
    await panel.getByRole('link', { name: 'http://kitchen-tv.local' }).waitFor()
    assert.equal(air.settings.name, 'Kitchen TV')
    await field.fill(' ')
    await field.press('Enter')
    await panel.getByText('The name is missing.').waitFor()
  }),
)

test(
  'a device that nobody has set up says so until it is',
  standIn,
  aloft(
    async (page, air) => {
      await page.goto(server.url + '/')
      await page.getByRole('link', { name: 'Choose a network' }).click()
      const banner = page.getByRole('region', { name: 'This device is not set up yet' })
      await banner.getByRole('button', { name: 'It is fine as it is' }).click()
      await banner.waitFor({ state: 'detached' })
      assert.equal(air.settings.done, true)
    },
    (network) => ({ ...network, setup: true }),
  ),
)

test(
  'nothing known, nothing around, no radio for a network of its own',
  standIn,
  aloft(
    async (page, air) => {
      Object.assign(air, { profiles: [], networks: [], history: [] })
      await page.reload()
      await page.getByText('None yet. Join one from the list below').waitFor()
      await page.getByText('No other network is in reach.').waitFor()
      await page.getByText('This device has no WiFi that can make a network.').waitFor()
      await page.getByRole('heading', { name: 'Not connected to any network' }).waitFor()
    },
    (network) => ({ ...network, links: [], state: 'down', access_point: undefined }),
  ),
)

test(
  'a list that cannot be had says so, and is asked for again',
  standIn,
  aloft(
    async (page) => {
      server.state.fail.set('/api/v1/network/profiles', { status: 500, code: 'internal', message: 'no' })
      try {
        await page.reload()
        await page.getByRole('alert').getByText('Something went wrong on the device').waitFor()
      } finally {
        server.state.fail.clear()
      }
      await page.getByRole('button', { name: 'Try again' }).click()
      await page.getByRole('button', { name: 'Move Home, 1 of 3' }).waitFor()
    },
    undefined,
    { allow: [/500/] },
  ),
)

test('on a computer the system looks after its network', async () => {
  const before = server?.state.status
  const said = (page) => page.getByText('This computer looks after its own network.').waitFor()
  if (server) {
    server.state.status = { ...before, hosted: true, network: null }
    await visit('/network', said)
    server.state.status = { ...before, hosted: true }
    server.state.fail.set('/api/v1/network/profiles', { status: 422, code: 'unsupported', message: 'no' })
  }
  try {
    await visit('/network', said, { allow: [/422/] })
  } finally {
    if (server) server.state.status = before
    server?.state.fail.clear()
  }
})
