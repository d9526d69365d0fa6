// In which unit does an alarm tell what was seen, and its limit? Pure.
import { count, duration, percent } from '../../texts/figures';
import type { Alert } from '../../steering';

type Unit = (value: number) => string;
const seconds: Unit = (value) => duration(value * 1000);
const share: Unit = (value) => percent(value / 10_000);

const UNITS: Record<Alert['kind'], Unit> = {
  longest: seconds, waiting: count, service_level: share, abandoned: share, nobody_ready: count, offers_unanswered: count,
};

export const inUnit = (kind: Alert['kind'], value: number): string => UNITS[kind](value);
