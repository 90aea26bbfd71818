import { crc32, deflateSync } from 'node:zlib';

/** Pictures as encoders write them (Pillow 13), by the kind of their file. */
export const PICTURES = {
  /** 48 × 32, lying on its side (orientation 6), with GPS, a maker and two comments. */
  jpeg: Buffer.from(
    '/9j/4AAQSkZJRgABAQAAAQABAAD/4QDCRXhpZgAATU0AKgAAAAgABAEPAAIAAAAGAAAAPgESAAMAAAABAAYAAIglAAQAAAABAAAA' +
      'RJKGAAIAAAAPAAAAqgAAAABNYWtlcgAABAABAAIAAAACTgAAAAACAAUAAAADAAAAegADAAIAAAACRQAAAAAEAAUAAAADAAAAkgAA' +
      'AAAAAAAlAAAAAQAAACEAAAABAAAAOwAAAAEAAAB+AAAAAQAAADoAAAABAAAAKAAAAAFzZWNyZXQgY29tbWVudAAA//4AEHNlY3Jl' +
      'dCBjb21tZW50/9sAQwAbEhQXFBEbFxYXHhwbIChCKyglJShROj0wQmBVZWRfVV1baniZgWpxkHNbXYW1hpCeo6utq2eAvMm6pseZ' +
      'qKuk/9sAQwEcHh4oIyhOKytOpG5dbqSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk/8AA' +
      'EQgAIAAwAwEiAAIRAQMRAf/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAE' +
      'EQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hp' +
      'anN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz' +
      '9PX29/j5+v/EAB8BAAMBAQEBAQEBAQEAAAAAAAABAgMEBQYHCAkKC//EALURAAIBAgQEAwQHBQQEAAECdwABAgMRBAUhMQYSQVEH' +
      'YXETIjKBCBRCkaGxwQkjM1LwFWJy0QoWJDThJfEXGBkaJicoKSo1Njc4OTpDREVGR0hJSlNUVVZXWFlaY2RlZmdoaWpzdHV2d3h5' +
      'eoKDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uLj5OXm5+jp6vLz9PX29/j5+v/a' +
      'AAwDAQACEQMRAD8AxFjp6x1YWOpFjrrczOFQrrHUix1OsdSLHWbmdkKhAsdSLHU6x1IsdZuZ2QqFdY6kWOp1jqRY6zcz5eFQgWOn' +
      'rHVhY6esdZuZ2QqECx1IsdTrHUix1k5nbCof/9k=',
    'base64',
  ),
  /** The same picture in passes, with restarts. */
  progressive: Buffer.from(
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j' +
      'q62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk' +
      'pKSkpKSkpKT/wgARCAAgADADASIAAhEBAxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAgMBBP/EABcBAAMBAAAAAAAAAAAAAAAAAAEC' +
      'AwT/3QAEAAH/2gAMAwEAAhADEAAAAeFUVV//0OVNPT//0Ypo6v/SCohl/9PVTUn/AP/UqmpN/8QAFRABAQAAAAAAAAAAAAAAAAAA' +
      'ABH/2gAIAQEAAQUCj//Qj//Rj//Sj//Tj//Uj//Vj//Wj//Xj//Qj//Rj//Sj//Tj//Uj//Vj//Wj//Xj//Qj//Rj//Sj//Tj//U' +
      'j//Vj//Wj//EABYRAAMAAAAAAAAAAAAAAAAAAAABAv/aAAgBAwEBPwFUf//QVH//0VR//9JUf//TVH//1FR//8QAFREBAQAAAAAA' +
      'AAAAAAAAAAAAABH/2gAIAQIBAT8Br//Qr//Rr//Sr//Tr//Ur//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEABj8Cf//Qf//R' +
      'f//Sf//Tf//Uf//Vf//Wf//Xf//Qf//Rf//Sf//Tf//Uf//Vf//Wf//Xf//Qf//Rf//Sf//Tf//Uf//Vf//Wf//EABUQAQEAAAAA' +
      'AAAAAAAAAAAAAAAB/9oACAEBAAE/IYf/0If/0Yf/0of/04f/1If/1Yf/1of/14f/0If/0Yf/0of/04f/1If/1Yf/1of/14f/0If/' +
      '0Yf/0of/04f/1If/1Yf/1of/2gAMAwEAAgADAAAAEIv/0Dv/0Tv/0sv/05v/1Df/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oACAED' +
      'AQE/EF//0F//0V//0l//01//1F//xAAVEQEBAAAAAAAAAAAAAAAAAAAAAf/aAAgBAgEBPxCv/9Cv/9Gv/9Kv/9Ov/9Sv/8QAFBAB' +
      'AAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxAf/9Af/9Ef/9If/9Mf/9Qf/9Uf/9Yf/9cf/9Af/9Ef/9If/9Mf/9Qf/9Uf/9Yf/9cf' +
      '/9Af/9Ef/9If/9Mf/9Qf/9Uf/9Yf/9k=',
    'base64',
  ),
  /** 40 × 24, with EXIF and XMP. */
  lossyWebp: Buffer.from(
    'UklGRoYBAABXRUJQVlA4WAoAAAAMAAAAJwAAFwAAVlA4IHgAAADQBACdASooABgAPv1oqFA9JiOjNUgDoB+JaACdMoSAkFwE51kE' +
      'pb0OOXx6pf/UAAD+7Dgjp0iWEX8bZCdxsgYm8ekRS7t8cGPMXhsc41912wcxttc9llhTz1+2H2q5J1+N2/ZxCPF5qvCW5WtdLTdx' +
      'wtKvKG0XgABFWElGugAAAE1NACoAAAAIAAQBDwACAAAABgAAAD4BEgADAAAAAQAGAACIJQAEAAAAAQAAAESShgACAAAADwAAAKoA' +
      'AAAATWFrZXIAAAQAAQACAAAAAk4AAAAAAgAFAAAAAwAAAHoAAwACAAAAAkUAAAAABAAFAAAAAwAAAJIAAAAAAAAAJQAAAAEAAAAh' +
      'AAAAAQAAADsAAAABAAAAfgAAAAEAAAA6AAAAAQAAACgAAAABc2VjcmV0IGNvbW1lbnQAAFhNUCAlAAAAPHg6eG1wbWV0YT5zZWNy' +
      'ZXQgY29tbWVudDwveDp4bXBtZXRhPgA=',
    'base64',
  ),
  losslessWebp: Buffer.from(
    'UklGRkIAAABXRUJQVlA4TDUAAAAvB0ABELkyRPQ/dhHR/4CCtm0Y4+n4M7wQBAIpzOQHkCDbFnckP8EkTbUdg3T2JgTQLXTeBwA=',
    'base64',
  ),
  /** 8 × 6, seen through, with EXIF. */
  alphaWebp: Buffer.from(
    'UklGRjgBAABXRUJQVlA4WAoAAAAYAAAABwAABQAAQUxQSB4AAAABPyAQIJzw3ykiIhIbCLONFMYylrGc//MQIvof2D5WUDggMgAA' +
      'ANABAJ0BKggABgAFQHwlsAJ0AQ8MBtI4AP6mpMeLk/sFgWulCbrza0v37gsAOzHkPAAARVhJRroAAABNTQAqAAAACAAEAQ8AAgAA' +
      'AAYAAAA+ARIAAwAAAAEABgAAiCUABAAAAAEAAABEkoYAAgAAAA8AAACqAAAAAE1ha2VyAAAEAAEAAgAAAAJOAAAAAAIABQAAAAMA' +
      'AAB6AAMAAgAAAAJFAAAAAAQABQAAAAMAAACSAAAAAAAAACUAAAABAAAAIQAAAAEAAAA7AAAAAQAAAH4AAAABAAAAOgAAAAEAAAAo' +
      'AAAAAXNlY3JldCBjb21tZW50AAA=',
    'base64',
  ),
  animatedWebp: Buffer.from(
    'UklGRtwAAABXRUJQVlA4WAoAAAACAAAABwAABQAAQU5JTQYAAAAAAAAAAABBTk1GVAAAAAAAAAAAAAcAAAUAAAAAAAJWUDggPAAA' +
      'AFABAJ0BKggABgAHQJYlsAAFjAAA/tnXd+X/+ory6P//Ta/1wrP/8IXZjqw4I87mX+3z6PtRPMCV1gAAAEFOTUZUAAAAAAAAAAAA' +
      'BwAABQAAAAAAAFZQOCA8AAAAVAEAnQEqCAAGAAAAliWwAAWMAADM//M8R/9RXICr/+m1wzcWf/4QqE/U6Iaact2p88J7eHd/LauH' +
      'wAAA',
    'base64',
  ),
  /** 20 × 10, with a comment. */
  gif: Buffer.from(
    'R0lGODlhFAAKAIEAAHm/gHlzgLImgDMmgCH+DnNlY3JldCBjb21tZW50ACwAAAAAFAAKAAAIOQAHCBxIUIDBgwgJKhyAsKGAhQUd' +
      'HoQYoGJFiQ8JWtxoseFAjiA3GhwAoKTJkyhTqlzJsqXLlwACAgA7',
    'base64',
  ),
  animatedGif: Buffer.from(
    'R0lGODdhCAAGAIEAAJ+qgB+qgG9VgG8VgCwAAAAACAAGAAAIHQAHCBxIsOCAAAISKgQQoGFCABAbBoBIUSJFiAEBACH5BAEAAAQA' +
      'LAAAAgAIAAQAgZ+qgB+qgG9VgG8VgAgXAAEQGEgwAICDAwMoPCiQgEKDCB0qDAgAOw==',
    'base64',
  ),
  apng: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAIAAABxZ0isAAAACGFjVEwAAAACAAAAAPONk3AAAAAaZmNUTAAAAAAAAAAIAAAABgAA' +
      'AAAAAAAAAAAAAQAALghkRgAAAB9JREFUeJxjZGBokGdgUMBALAxaDFgBC4M2Lgmq6QAABFkCSbDYckUAAAAaZmNUTAAAAAEAAAAI' +
      'AAAABgAAAAAAAAAAAAAAAQAAtXuOkgAAACVmZEFUAAAAAnicY7zP0PCAgQENPWRgYGHQYsAKWBi0cUlQTQcAVqMIapXWFmwAAAAA' +
      'SUVORK5CYII=',
    'base64',
  ),
};

/** The word that the comments, names and places of these pictures contain. */
export const SECRET = 'secret comment';

/**
 * A real PNG of one colour.
 * @param more chunks before the pixels.
 */
export function pngOf(width: number, height: number, more: readonly Buffer[] = []): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const row = Buffer.alloc(1 + width, 0x7f);
  row[0] = 0;
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), ...more, chunk('IDAT', pixels), chunk('IEND')]);
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A PNG that says it has so many pixels, and has next to none. */
export function pngThatClaims(width: number, height: number): Buffer {
  const small = pngOf(1, 1);
  const header = Buffer.from(small.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), small.subarray(33)]);
}

export function chunk(type: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const around = Buffer.alloc(8);
  around.writeUInt32BE(body.length, 0);
  around.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([around.subarray(0, 4), named, around.subarray(4)]);
}

/** A GIF whose picture is repeated so often. */
export function gifOfFrames(count: number): Buffer {
  const one = PICTURES.gif;
  const begin = one.indexOf(0x2c, one.indexOf(SECRET));
  const [head, frame] = [one.subarray(0, begin), one.subarray(begin, -1)];
  return Buffer.concat([head, ...Array.from({ length: count }, () => frame), one.subarray(-1)]);
}
