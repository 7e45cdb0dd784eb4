using System.Text;
using Jafer.Contracts.Csv;
using Jafer.Mesures.Survey;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>Files of returns as people send them.</summary>
public sealed class SurveyImportTests
{
    private const string Id = "01890000-0000-7000-8000-000000000001";
    private const string Header = "year,gestionnaire_id,code,value";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("year,gestionnaire_id,code,value\n2024,ID,STOCK_FIN,7\n")]
    [InlineData("year;gestionnaire_id;code;value\n2024;ID;STOCK_FIN;7\n")]
    [InlineData("\uFEFFyear;gestionnaire_id;code;value\r\n2024;ID;STOCK_FIN;7\r\n")]
    [InlineData("code;value;libelle;year;gestionnaire_id\nSTOCK_FIN;7;\"Mesures; \"\"clôturées\"\"\";2024;ID\n")]
    [InlineData("year,gestionnaire_id,code,value\n\n 2024 , ID , STOCK_FIN , 7 \n\n")]
    [InlineData("year,gestionnaire_id,code,value\n2024,ID,STOCK_FIN,7")]
    public async Task Read_AsSpreadsheetsWriteIt_IsUnderstood(string file)
    {
        var (returns, lines, mistakes) = await ReadAsync(Encoding.UTF8.GetBytes(file.Replace("ID", Id, StringComparison.Ordinal)));

        Assert.Empty(mistakes);
        Assert.Equal(1, lines);
        var of = Assert.Single(returns);
        Assert.Equal((new Guid(Id), 2024, 7L), (of.GestionnaireId!.Value, of.Year, of.Figures["STOCK_FIN"]));
    }

    [Theory]
    // Another delimiter than the two: the header has none of the columns.
    [InlineData("year\tgestionnaire_id\tcode\tvalue\n2024\tID\tSTOCK_FIN\t7\n", "1 : the header must name the columns year, gestionnaire_id, code and value")]
    [InlineData("", "1 : the header must name the columns year, gestionnaire_id, code and value")]
    [InlineData("gestionnaire_id,code,value\nID,STOCK_FIN,7\n", "1 : the header must name the columns year, gestionnaire_id, code and value")]
    // Which of the two is meant nobody knows.
    [InlineData("year,value,gestionnaire_id,code,value\n2024,7,ID,STOCK_FIN,8\n", "1 : the header names a column twice")]
    // Decimals and thousands, by comma and by point: nothing of them is cut off.
    [InlineData("HEADER\n2024,ID,STOCK_FIN,7,5\n", "2 : has more cells than the header")]
    [InlineData("HEADER\n2024,ID,STOCK_FIN,\"7,5\"\n", "2 value: must be a whole number from 0")]
    [InlineData("HEADER\n2024,ID,STOCK_FIN,7.5\n", "2 value: must be a whole number from 0")]
    [InlineData("HEADER\n2024,ID,STOCK_FIN,1 234\n", "2 value: must be a whole number from 0")]
    [InlineData("HEADER\n2024,ID,STOCK_FIN,99999999999999999999\n", "2 value: must be a whole number from 0")]
    [InlineData("HEADER\n2024,ID,STOCK_FIN,\n", "2 value: must be a whole number from 0")]
    [InlineData("HEADER\n2024,ID,STOCK_FIN\n", "2 value: must be a whole number from 0")]
    [InlineData("HEADER\n,ID,STOCK_FIN,7\n", "2 year: must be a year from 2000 to 2025")]
    [InlineData("HEADER\n2026,ID,STOCK_FIN,7\n", "2 year: must be a year from 2000 to 2025")]
    [InlineData("HEADER\n2024,A69-1,STOCK_FIN,7\n", "2 gestionnaire_id: must be a UUID or FRANCE")]
    [InlineData("HEADER\n2024,ID,STOCK_TOTAL,7\n", "2 code: is no figure of the survey")]
    [InlineData("HEADER\n2024,ID,STOCK_FIN,7\n\n2024,ID,STOCK_FIN,7\n", "4 code: stands twice for the same gestionnaire and year")]
    public async Task Read_WhatIsWrong_IsNamedWithItsLine(string file, string mistake)
    {
        var (_, _, mistakes) = await ReadAsync(Encoding.UTF8.GetBytes(file.Replace("ID", Id, StringComparison.Ordinal).Replace("HEADER", Header, StringComparison.Ordinal)));

        Assert.Equal(mistake, Assert.Single(mistakes.Select(m => $"{m.Line} {m.Column}: {m.Description}")));
    }

    [Fact]
    public async Task Read_Latin1_NamesTheLine()
    {
        var (returns, _, mistakes) = await ReadAsync(Encoding.Latin1.GetBytes($"{Header},libelle\n2024,{Id},STOCK_FIN,7,Stock\n2024,{Id},STOCK_DEBUT,7,Mesures début\n"));

        Assert.Empty(returns);
        Assert.Equal((3, "the file is not UTF-8"), (mistakes[0].Line, Assert.Single(mistakes).Description));
    }

    private static async Task<(IReadOnlyList<ImportedReturn> Returns, int Lines, List<CsvMistake> Mistakes)> ReadAsync(byte[] content)
    {
        var mistakes = new List<CsvMistake>();
        var (returns, lines) = await SurveyImport.ReadAsync(content, 2025, mistakes, Ct);
        return (returns, lines, mistakes);
    }
}
