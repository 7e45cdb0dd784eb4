namespace Jafer.ServiceDefaults.Limits;

/// <summary>Counts what runs at the same time, for each key. Of a key for which nothing runs nothing is kept.</summary>
/// <typeparam name="TKey">Whose.</typeparam>
internal sealed class Places<TKey>
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, int> _taken = [];

    /// <summary>Places that are taken, of all keys.</summary>
    public int Taken
    {
        get
        {
            lock (_gate)
            {
                return _taken.Values.Sum();
            }
        }
    }

    /// <summary>Takes a place; <see cref="Leave"/> gives it back.</summary>
    /// <param name="key">Whose.</param>
    /// <param name="most">Places of a key.</param>
    public bool TryEnter(TKey key, int most)
    {
        lock (_gate)
        {
            var taken = _taken.GetValueOrDefault(key);
            if (taken >= most)
            {
                return false;
            }

            _taken[key] = taken + 1;
            return true;
        }
    }

    /// <summary>Gives a place back.</summary>
    /// <param name="key">Whose.</param>
    public void Leave(TKey key)
    {
        lock (_gate)
        {
            if (--_taken[key] is var left && left == 0)
            {
                _taken.Remove(key);
            }
            else
            {
                _taken[key] = left;
            }
        }
    }
}
