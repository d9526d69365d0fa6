// What is set for calls, and how is it decided anew? Read as one document; each decision names its revision and its reason.
import { Asked } from '../../api/asked.svelte';
import { api, ask, type Failure, type Shape } from '../../api/client';

/** An operator as the settings have them. */
export type OperatorKept = Shape<'SettingsOperator'>;

type Sections = Partial<Omit<Shape<'SettingsWanted'>, 'revision' | 'reason'>>;

class SettingsKept {
  readonly asked = new Asked(() => ask(api.GET('/api/settings')));

  get operators(): Record<string, OperatorKept> {
    return this.asked.data?.operators ?? {};
  }

  /** Decides whole sections; what is not given stays. */
  async decide(reason: string, sections: Sections): Promise<Failure | null> {
    const { failure } = await ask(api.PUT('/api/settings', { body: { revision: this.asked.data?.revision ?? 0, reason, ...sections } }));
    if (!failure || failure.status === 409) await this.asked.again();
    return failure;
  }
}

export const settings = new SettingsKept();

/** What is kept of an operator when nothing of them is changed: the phone keeps its password by not naming one. */
export const unchanged = (kept: OperatorKept): Shape<'OperatorEdit'> => ({
  skills: kept.skills, address: kept.address ?? null, ready_when_registered: kept.ready_when_registered, answer_at_desk: kept.answer_at_desk, browser: kept.browser,
  phone: kept.phone ? { user: kept.phone.user, secure: kept.phone.secure ?? null } : null,
});
