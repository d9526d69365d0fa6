// What was ordered, in words? Of an operator's own orders in a toast, of all in the supervisors' list.
import type { Order } from '../steering';
import { t } from '../texts/texts.svelte';
import { queueName, reasonName, skillName } from './names';

const today = ({ levels = {}, queues = {} }: Extract<Order, { kind: 'able' }>): string => {
  const told = [
    ...Object.entries(levels).map(([skill, level]) => `${skillName(skill)} ${level || '–'}`),
    ...Object.entries(queues).map(([queue, gets]) => `${queueName(queue)}: ${t(gets ? 'able-yes' : 'able-no')}`),
  ];
  return told.length ? t('order-today', { what: told.join(', ') }) : t('order-as-settled');
};

export function inWords(order: Order): string {
  switch (order.kind) {
    case 'state': return order.pause ? `${t('state-to-pause')} (${reasonName(order.pause)})` : t(`state-to-${order.to}`);
    case 'able': return today(order);
    case 'mode': return t(`mode-${order.mode}`);
    case 'evacuation': return t(order.on ? 'order-evacuation' : 'order-evacuation-over');
  }
}
