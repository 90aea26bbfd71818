import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';

export type Delivery = Schemas['AdminDelivery'];

/** Our words for what a delivery tells of, and why one failed. What has none yet stays as it is. */
export function useDeliveryWords() {
  const { t, i18n } = useTranslation('deliveries');
  const has = (key: string) => i18n.exists(key, { ns: 'deliveries' });
  return {
    kindOf: (kind: string) => (has(`kind.${kind}`) ? t(`kind.${kind}` as 'kind.usage.alert') : kind),
    errorOf: (error: string) => (has(`error.${error}`) ? t(`error.${error as 'refused'}`) : error),
  };
}
