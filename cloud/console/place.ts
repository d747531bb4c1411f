/** Where a device is, as the annotation `skerry.dev/location` of its Node says: `51.3127, 9.4797`. */

export interface Place {
  readonly lat: number
  readonly lon: number
}

export const LOCATION_ANNOTATION = 'skerry.dev/location'

const LOCATION = /^\s*([-+]?\d{1,2}(?:\.\d{1,9})?)\s*[,; ]\s*([-+]?\d{1,3}(?:\.\d{1,9})?)\s*$/

/** null = it says nothing, or nothing on this planet. */
export function placeOf(annotation: string | undefined): Place | null {
  const match = LOCATION.exec(annotation ?? '')
  if (match === null) return null
  const [lat, lon] = [Number(match[1]), Number(match[2])]
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null
}
