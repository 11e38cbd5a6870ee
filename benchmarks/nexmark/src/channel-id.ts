const parameter = 'channel_id=';

/** The id of a bid's channel: by its name, else from the url; undefined if there is none. */
export function channelIdOf(channel: string, url: string): string | undefined {
  return idOfHotChannel(channel) ?? idInUrl(url);
}

/** Looks at the length first: lower case is then made of few other names. */
function idOfHotChannel(channel: string): string | undefined {
  const length = channel.length;
  if (length !== 5 && length !== 6 && length !== 8) return undefined;
  switch (channel.toLowerCase()) {
    case 'apple':
      return '0';
    case 'google':
      return '1';
    case 'facebook':
      return '2';
    case 'baidu':
      return '3';
    default:
      return undefined;
  }
}

function idInUrl(url: string): string | undefined {
  let at = url.indexOf(parameter);
  while (at > 0 && url[at - 1] !== '&') at = url.indexOf(parameter, at + 1);
  if (at < 0) return undefined;
  const from = at + parameter.length;
  const to = url.indexOf('&', from);
  return to < 0 ? url.slice(from) : url.slice(from, to);
}
