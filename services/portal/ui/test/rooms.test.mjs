/** Several rooms at once, and whom this device trusts. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { server, standIn, until, visit } from './harness.mjs'

test('what plays is heard in another room too', standIn, () =>
  visit(
    '/music',
    async (page) => {
      const { cast } = server.state
      const { id } = cast.play({ renderer: 'tv', items: ['s7-2', 's4-1', 's0-5'] })
      const session = () => cast.state.sessions.get(id)
      await page
        .getByRole('button', { name: /^Play on/ })
        .first()
        .click()
      const sheet = page.getByRole('dialog', { name: 'Play on' })
      const bath = sheet.getByRole('checkbox', { name: /^Bathroom/ })
      assert.equal(await sheet.getByRole('checkbox').count(), 1, 'only those that can be in step')
      await bath.check()
      await until(() => session().with?.length === 1)
      await sheet.getByText('Plays along').waitFor()
      const volume = sheet.getByRole('slider', { name: 'Volume of Bathroom' })
      await volume.focus()
      await volume.press('ArrowRight')
      await until(() => session().with[0].volume === 50)
      assert.equal(session().volume, 70, 'the first room is as loud as before')
      session().with[0].problem = 'The disk is damaged.'
      cast.changed(session())
      await sheet.getByText('The disk is damaged.').waitFor()
      await bath.uncheck()
      await until(() => session().with.length === 0)
      await volume.waitFor({ state: 'detached' })
      cast.answer('DELETE', `sessions/${id}`)
    },
    { settings: { place: 'tv' } },
  ),
)

test('a device is trusted once its owner says so, and no longer when not', standIn, () =>
  visit('/settings', async (page) => {
    const { devices } = server.state.cast.state
    const find = (name) => devices.devices.find((each) => each.name === name)
    await page.getByRole('link', { name: /^Other devices/ }).click()
    await page.getByText('Its ID, for comparing: ABCD-EFGH-2345-6PQR').waitFor()
    const asks = page.getByRole('region', { name: 'Asks to be trusted' })
    await asks.getByText('ATTC-AAAA-BBBB-CCCC').waitFor()
    await asks.getByRole('button', { name: 'Trust Attic' }).click()
    await until(() => find('Attic').trusted)
    const trusted = page.getByRole('region', { name: 'Trusted', exact: true })
    await page.getByRole('button', { name: /^Trust A cellar/ }).click()
    await trusted.getByText('Waits until it trusts this device too').waitFor()
    await trusted.getByRole('button', { name: 'Remove Attic' }).click()
    await until(() => !find('Attic').trusted)
    await page.getByText('Attic is no longer trusted.').waitFor()
    await page.getByRole('region', { name: 'Found in your network' }).getByText('Attic').waitFor()
  }),
)
